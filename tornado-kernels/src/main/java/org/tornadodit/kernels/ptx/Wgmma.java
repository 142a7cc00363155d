package org.tornadodit.kernels.ptx;

import java.util.Arrays;
import org.tornadodit.virtual.WorkItem;

/**
 * The tensor cores of a warpgroup (sm_90a): four warps, 128 threads, make the calls together; operands lie in shared
 * memory as 8x8 matrices of halves, 128 contiguous bytes each, rows of 16 bytes. A may lie in registers.
 *
 * <p>A product is under way from {@link #multiply} until an {@link #await}; its accumulators and operands must not be
 * touched until then. On the host accumulators are NaN meanwhile, and changed operands an error.
 */
public final class Wgmma {

    private Wgmma() {}

    /** Orders earlier accesses to accumulators before the multiplications that follow; due before the first one. */
    @Instruction("//!wgmma.fence.sync.aligned;")
    public static void fence() {
        WorkItem item = WorkItem.current();
        BlockState.of(item).products(item).fence(item);
    }

    /** Makes a group of the multiplications since the last one. */
    @Instruction("//!wgmma.commit_group.sync.aligned;")
    public static void commit() {
        WorkItem item = WorkItem.current();
        BlockState.of(item).products(item).commit(item);
    }

    /** Waits until at most {@code pending}, a constant, groups are under way. */
    @Instruction("//!wgmma.wait_group.sync.aligned $0;")
    public static void await(int pending) {
        WorkItem item = WorkItem.current();
        BlockState.of(item).products(item).await(item, pending);
    }

    /**
     * The lower half of an operand's descriptor: 18 bits of the address, a multiple of 16 (above them a block's rank in its cluster is
     * part of it), and {@code kStride}, the bytes between the two
     * matrices that follow each other along k, a constant. Adding n to it adds 16 n bytes to the address. The upper half has
     * the stride along rows or columns. Without swizzle that is so for N-major operands too: "leading dimension byte
     * offset" leads from the first 8 k to the next, "stride dimension byte offset" from 8 columns to the next (PTX ISA,
     * "Strides", interleaved; with a swizzle they change places).
     */
    @Instruction(value = "{ .reg .b32 %t; bfe.u32 %t, $0, 4, 14; mad.lo.u32 $r, $1, 4096, %t; }", ordered = false)
    public static int descriptor(int address, int kStride) {
        return address >>> 4 & 0x3fff | kStride / 16 << 16;
    }

    /**
     * {@code C += A B} of 64 x {@code columns} x 16, all of {@code sums}: columns / 2 registers. With warp w of the four,
     * lane l: register 4 j + 2 h + i is row 16 w + l / 4 + 8 h, column 8 j + 2 (l % 4) + i.
     *
     * @param a descriptor of A (64, 16), K-major
     * @param b descriptor of B (columns, 16), K-major
     * @param aStride bytes between matrices that follow each other along the rows of A, a constant; {@code bStride}
     *     likewise along B's columns
     * @param columns multiple of 8 up to 256, a constant
     */
    @Instruction("//!{ .reg .b64 %da, %db; .reg .b32 %ha, %hb; .reg .pred %p; setp.eq.s32 %p, 0, 0;"
            + " mov.b32 %ha, $3 / 16; mov.b32 %hb, $4 / 16; mov.b64 %da, {$1, %ha}; mov.b64 %db, {$2, %hb};"
            + " wgmma.mma_async.sync.aligned.m64n$5k16.f32.f16.f16 {$0[*]}, %da, %db, %p, 1, 1, 0, 0; }")
    public static void multiply(float[] sums, int a, int b, int aStride, int bStride, int columns) {
        WorkItem item = WorkItem.current();
        BlockState.of(item).products(item).multiply(item, sums, a, b, aStride, bStride, columns);
    }

    /** {@code C = A B} where {@code more} is 0, else {@code C += A B}: as {@link #multiply(float[], int, int, int, int, int)}. */
    @Instruction("//!{ .reg .b64 %da, %db; .reg .b32 %ha, %hb; .reg .pred %p; setp.ne.s32 %p, $6, 0;"
            + " mov.b32 %ha, $3 / 16; mov.b32 %hb, $4 / 16; mov.b64 %da, {$1, %ha}; mov.b64 %db, {$2, %hb};"
            + " wgmma.mma_async.sync.aligned.m64n$5k16.f32.f16.f16 {$0[*]}, %da, %db, %p, 1, 1, 0, 0; }")
    public static void multiply(float[] sums, int a, int b, int aStride, int bStride, int columns, int more) {
        if (more == 0) {
            Arrays.fill(sums, 0f);
        }
        multiply(sums, a, b, aStride, bStride, columns);
    }

    /**
     * {@code C = A B} or {@code C += A B} of 64 x {@code columns} x 16 with A in four registers of every thread and B in
     * shared memory. With warp w of the four, lane l: registers 0 and 1 are rows 16 w + l / 4 and 8 further, columns
     * 2 (l % 4) and the next; registers 2 and 3 are the same 8 columns on. Two neighbouring groups of 8 columns of a
     * product's C, rounded to pairs of halves, are such an A.
     *
     * @param a registers, {@code i} the first of the four; they must not change until the product is awaited
     * @param b descriptor of B (columns, 16)
     * @param bStride bytes between matrices that follow each other along B's columns, a constant
     * @param columns multiple of 8 up to 256, a constant
     * @param transposed 0 where a row of an 8x8 matrix of B is a column's 8 k (K-major), 1 where it is 8 columns of one k
     *     (N-major); a constant
     * @param accumulate 1 to add to {@code sums}, 0 to overwrite them, a constant
     */
    @Instruction("//!{ .reg .b64 %db; .reg .b32 %hb; .reg .pred %p; setp.ne.s32 %p, $7, 0;"
            + " mov.b32 %hb, $4 / 16; mov.b64 %db, {$3, %hb};"
            + " wgmma.mma_async.sync.aligned.m64n$5k16.f32.f16.f16 {$0[*]}, {$1[2..4]}, %db, %p, 1, 1, $6; }")
    public static void multiply(
            float[] sums, int[] a, int i, int b, int bStride, int columns, int transposed, int accumulate) {
        WorkItem item = WorkItem.current();
        BlockState.of(item).products(item).multiply(item, sums, a, i, b, bStride, columns, transposed, accumulate);
    }

    /**
     * {@code C += A B} of 64 x {@code columns} x 32 with numbers of eight bits
     * ({@link Float8}): an 8x8 matrix of halves is here one of 8 rows and 16 k. Before products of the other kind follow on the same
     * accumulators, those of this kind are awaited.
     */
    @Instruction("//!{ .reg .b64 %da, %db; .reg .b32 %ha, %hb; .reg .pred %p; setp.eq.s32 %p, 0, 0;"
            + " mov.b32 %ha, $3 / 16; mov.b32 %hb, $4 / 16; mov.b64 %da, {$1, %ha}; mov.b64 %db, {$2, %hb};"
            + " wgmma.mma_async.sync.aligned.m64n$5k32.f32.e4m3.e4m3 {$0[*]}, %da, %db, %p, 1, 1; }")
    public static void multiplyBytes(float[] sums, int a, int b, int aStride, int bStride, int columns) {
        WorkItem item = WorkItem.current();
        BlockState.of(item).products(item).multiplyBytes(item, sums, a, b, aStride, bStride, columns);
    }

    /**
     * Has {@code registers} for each thread from here on, once others have given so many back: a constant, multiple of 8; all warps of the
     * warpgroup call it.
     */
    @Instruction("//!setmaxnreg.inc.sync.aligned.u32 $0;")
    public static void increaseRegisters(int registers) {
        WorkItem item = WorkItem.current();
        BlockState.of(item).registers().increase(item, registers);
    }

    /** Has no more than {@code registers} for each thread from here on; see {@link #increaseRegisters}. */
    @Instruction("//!setmaxnreg.dec.sync.aligned.u32 $0;")
    public static void decreaseRegisters(int registers) {
        WorkItem item = WorkItem.current();
        BlockState.of(item).registers().decrease(registers);
    }
}
