/** JMH benchmarks of the host side, in a module of their own: JMH is no part of the program. */
@NullMarked
package org.tornadodit.benchmarks;

import org.jspecify.annotations.NullMarked;
