/** Times kernels that were just checked. */
@NullMarked
package org.tornadodit.kernels.bench;

import org.jspecify.annotations.NullMarked;
