/**
 * The GPU kernels: static methods that TornadoVM compiles, each operation with its launch geometry and its float64
 * reference, in two kinds. Portable ones use TornadoVM's official API alone and FP32 arithmetic, on any of its GPUs and on
 * OpenCL. Those for Hopper's tensor cores ({@code Tensor*}, {@code WarpgroupAttention}, {@code Packed*}) use the
 * instructions of {@link org.tornadodit.kernels.ptx} and multiply FP16 halves, three products for FP32's accuracy or one.
 *
 * <p>Names are PyTorch's: N batch, T tokens, D hidden size, H heads, C channels, P patch size. Sizes are passed as int
 * task parameters, which TornadoVM turns into constants of the compiled kernel; what changes from step to step comes in
 * arrays. {@code reference} methods give one output element in double precision, so that a check can look at every
 * element of a small problem and at samples of a large one.
 *
 * <p>A task has positions, not names. A kernel of many parameters therefore has a record beside it, {@code *Arguments},
 * whose parts have names and whose {@code task} is the only place where they are put in a row.
 *
 * <p>What TornadoVM 5.2.0 asks of a kernel, learnt from its output:
 *
 * <ul>
 *   <li>Values that should live in registers are variables; private arrays become memory.
 *   <li>A local array is not passed to another method: it would be read with the byte offsets of a Java array.
 *   <li>Shifts, and divisions by powers of two, only of values that are never negative: OpenCL gets every shift as an
 *       arithmetic one, PTX as a logical one.
 *   <li>A method that a kernel calls stays below 600 nodes of the compiler's graph, some twenty array accesses.
 *   <li>A kernel is not named like a function of OpenCL (step, normalize, distance).
 *   <li>256 threads with register tiles stay within 128 registers, or a multiprocessor runs one work group, not two.
 * </ul>
 */
@NullMarked
package org.tornadodit.kernels;

import org.jspecify.annotations.NullMarked;
