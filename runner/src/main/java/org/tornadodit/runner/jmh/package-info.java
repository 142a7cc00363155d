/** JMH benchmarks of the host side; {@code ./dit bench jmh} runs them. */
@NullMarked
package org.tornadodit.runner.jmh;

import org.jspecify.annotations.NullMarked;
