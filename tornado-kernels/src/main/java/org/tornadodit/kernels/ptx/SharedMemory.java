package org.tornadodit.kernels.ptx;

import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A block's shared memory by byte address, and copies from global memory into it. Indices of device arrays count 4-byte
 * elements; 16-byte accesses need addresses and indices that are multiples of 16 bytes.
 */
public final class SharedMemory {

    private SharedMemory() {}

    /** Address of {@code bytes}, a constant of at most 48 KB, aligned to 128; one call a kernel. */
    @Instruction(".shared .align 128 .b8 $r_s[$0]; mov.u32 $r, $r_s;")
    public static int fixed(int bytes) {
        return BlockState.currentMemory().allocate("fixed", bytes, SharedMemoryBytes.LIMIT_FIXED);
    }

    /**
     * Address of {@code bytes}, a constant of at most 227 KB on Hopper, aligned to 1024; one call a kernel. The kernel is
     * loaded a second time, with its lines {@code //!} put to work.
     */
    @Instruction("//!shared $0\n\tmov.u32 $r, 0; //!-\n\t//!mov.u32 $r, dynamicShared;")
    public static int dynamic(int bytes) {
        return BlockState.currentMemory().allocate("dynamic", bytes, SharedMemoryBytes.LIMIT_DYNAMIC);
    }

    /** Says that blocks have {@code threads} threads, a constant; with {@link #dynamic} only. */
    @Instruction("//!entry .maxntid $0, 1, 1 .minnctapersm $1")
    public static void block(int threads, int blocksPerMultiprocessor) {
        int launched = WorkItem.current().groupSize();
        if (threads != launched) {
            throw new IllegalStateException(
                    "the kernel says that blocks have " + threads + " threads, and is launched with " + launched);
        }
    }

    /** 4 bytes. */
    @Instruction("ld.shared.b32 $r, [$0];")
    public static int load(int address) {
        return BlockState.currentMemory().getInt(address);
    }

    /** 4 bytes. */
    @Instruction("ld.shared.f32 $r, [$0];")
    public static float loadFloat(int address) {
        return Float.intBitsToFloat(BlockState.currentMemory().getInt(address));
    }

    /** 16 bytes into registers {@code i} to {@code i + 3}. */
    @Instruction("ld.shared.v4.b32 {$1[2..4]}, [$0];")
    public static void load4(int address, int[] registers, int i) {
        load(address, registers, i, 4);
    }

    /** 16 bytes into registers {@code i} to {@code i + 3}. */
    @Instruction("ld.shared.v4.f32 {$1[2..4]}, [$0];")
    public static void load4(int address, float[] registers, int i) {
        load(address, registers, i, 4);
    }

    /** 8 bytes into registers {@code i} and {@code i + 1}. */
    @Instruction("ld.shared.v2.b32 {$1[2..2]}, [$0];")
    public static void load2(int address, int[] registers, int i) {
        load(address, registers, i, 2);
    }

    private static void load(int address, float[] registers, int i, int count) {
        SharedMemoryBytes memory = BlockState.currentMemory();
        memory.check(address, 4 * count, 4 * count);
        for (int j = 0; j < count; j++) {
            registers[i + j] = Float.intBitsToFloat(memory.getInt(address + 4 * j));
        }
    }

    private static void load(int address, int[] registers, int i, int count) {
        SharedMemoryBytes memory = BlockState.currentMemory();
        memory.check(address, 4 * count, 4 * count);
        for (int j = 0; j < count; j++) {
            registers[i + j] = memory.getInt(address + 4 * j);
        }
    }

    /** 4 bytes. */
    @Instruction("st.shared.b32 [$0], $1;")
    public static void store(int address, int value) {
        WorkItem item = WorkItem.current();
        BlockState.of(item).memory().setInt(address, value, item.index());
    }

    /** 4 bytes. */
    @Instruction("st.shared.f32 [$0], $1;")
    public static void store(int address, float value) {
        store(address, Float.floatToRawIntBits(value));
    }

    /** 8 bytes. */
    @Instruction("st.shared.v2.f32 [$0], {$1, $2};")
    public static void store2(int address, float a, float b) {
        WorkItem item = WorkItem.current();
        SharedMemoryBytes memory = BlockState.of(item).memory();
        memory.check(address, 8, 8);
        memory.setInt(address, Float.floatToRawIntBits(a), item.index());
        memory.setInt(address + 4, Float.floatToRawIntBits(b), item.index());
    }

    /** 16 bytes. */
    @Instruction("st.shared.v4.b32 [$0], {$1, $2, $3, $4};")
    public static void store(int address, int a, int b, int c, int d) {
        WorkItem item = WorkItem.current();
        SharedMemoryBytes memory = BlockState.of(item).memory();
        memory.check(address, 16, 16);
        memory.setInt(address, a, item.index());
        memory.setInt(address + 4, b, item.index());
        memory.setInt(address + 8, c, item.index());
        memory.setInt(address + 12, d, item.index());
    }

    /** cp.async of 16 bytes: they are there after {@link #commitCopies}, {@link #awaitCopies} and a barrier. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $2, 4; add.s64 %ga, %ga, $1;"
                    + " cp.async.cg.shared.global [$0], [%ga+$H+$c2], 16; }",
            reads = 1)
    public static void copyAsync(int address, IntArray source, int index) {
        copyAsync(address, source, index, 16);
    }

    /** cp.async of 16 bytes, of which the first {@code bytes}, 0 to 16, are read and the others are zero. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $2, 4; add.s64 %ga, %ga, $1;"
                    + " cp.async.cg.shared.global [$0], [%ga+$H+$c2], 16, $3; }",
            reads = 1)
    public static void copyAsync(int address, IntArray source, int index, int bytes) {
        WorkItem item = WorkItem.current();
        BlockState block = BlockState.of(item);
        block.copies(item).add(AsyncCopy.of(block.memory(), address, source, index, bytes, 16, item.index()));
    }

    /** {@link #copyAsync(int, IntArray, int)} where {@code wanted} is positive, without a branch. */
    @Instruction(
            value = "{ .reg .b64 %ga; .reg .pred %gp; setp.gt.s32 %gp, $3, 0; mul.wide.s32 %ga, $2, 4; add.s64 %ga,"
                    + " %ga, $1; @%gp cp.async.cg.shared.global [$0], [%ga+$H+$c2], 16; }",
            reads = 1)
    public static void copyAsyncIf(int address, IntArray source, int index, int wanted) {
        if (wanted > 0) {
            copyAsync(address, source, index, 16);
        }
    }

    /** cp.async of 16 bytes of floats. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $2, 4; add.s64 %ga, %ga, $1;"
                    + " cp.async.cg.shared.global [$0], [%ga+$H+$c2], 16; }",
            reads = 1)
    public static void copyAsync(int address, FloatArray source, int index) {
        WorkItem item = WorkItem.current();
        BlockState block = BlockState.of(item);
        block.copies(item).add(AsyncCopy.of(block.memory(), address, source, index, 16, 16, item.index()));
    }

    /** Makes a group of the thread's copies since the last one. */
    @Instruction("cp.async.commit_group;")
    public static void commitCopies() {
        WorkItem item = WorkItem.current();
        BlockState.of(item).copies(item).commit();
    }

    /** Waits until at most {@code pending}, a constant, of the thread's latest groups are under way. */
    @Instruction("cp.async.wait_group $0;")
    public static void awaitCopies(int pending) {
        WorkItem item = WorkItem.current();
        BlockState block = BlockState.of(item);
        block.copies(item).await(pending, block.memory());
    }

    /**
     * Makes shared memory that threads have written, by cp.async too, visible to wgmma and bulk copies: by the writing
     * thread after its write (an awaited copy), or by those that call wgmma after the barrier that lets them read.
     */
    @Instruction("fence.proxy.async.shared::cta;")
    public static void fenceAsync() {
        WorkItem item = WorkItem.current();
        BlockState.of(item).memory().fence(item.index());
    }
}
