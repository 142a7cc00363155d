/**
 * Teaches TornadoVM's PTX backend the instructions of {@link org.tornadodit.kernels.ptx}. Tied to internals of TornadoVM
 * 5.2.0-jdk25 and Graal 25.0.2; see docs/decisions/0007-ptx-intrinsics.md.
 */
@NullMarked
package org.tornadodit.ptx;

import org.jspecify.annotations.NullMarked;
