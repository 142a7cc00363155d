/** Pictures and other files that commands write. */
@NullMarked
package org.tornadodit.runner.output;

import org.jspecify.annotations.NullMarked;
