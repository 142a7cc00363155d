/**
 * The GPU kernels: static methods that TornadoVM compiles, each operation with its launch geometry and its float64
 * reference. Only TornadoVM's official API is used, so that they run on any of its GPUs and on OpenCL; all arithmetic
 * is FP32.
 *
 * <p>Names are PyTorch's: N batch, T tokens, D hidden size, H heads, C channels, P patch size. Sizes are passed as int
 * task parameters, which TornadoVM turns into constants of the compiled kernel; what changes from step to step comes in
 * arrays. {@code reference} methods give one output element in double precision, so that a check can look at every
 * element of a small problem and at samples of a large one.
 */
@NullMarked
package org.tornadodit.kernels;

import org.jspecify.annotations.NullMarked;
