package org.tornadodit.kernels.ptx;

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
        throw new UnsupportedOperationException();
    }

    /**
     * Address of {@code bytes}, a constant of at most 227 KB on Hopper, aligned to 1024; one call a kernel. The kernel is
     * loaded a second time, with its lines {@code //!} put to work.
     */
    @Instruction("//!shared $0\n\tmov.u32 $r, 0; //!-\n\t//!mov.u32 $r, dynamicShared;")
    public static int dynamic(int bytes) {
        throw new UnsupportedOperationException();
    }

    /** Says that blocks have {@code threads} threads, a constant; with {@link #dynamic} only. */
    @Instruction("//!entry .maxntid $0, 1, 1 .minnctapersm $1")
    public static void block(int threads, int blocksPerMultiprocessor) {}

    /** 4 bytes. */
    @Instruction("ld.shared.b32 $r, [$0];")
    public static int load(int address) {
        throw new UnsupportedOperationException();
    }

    /** 4 bytes. */
    @Instruction("ld.shared.f32 $r, [$0];")
    public static float loadFloat(int address) {
        throw new UnsupportedOperationException();
    }

    /** 4 bytes. */
    @Instruction("st.shared.b32 [$0], $1;")
    public static void store(int address, int value) {
        throw new UnsupportedOperationException();
    }

    /** 4 bytes. */
    @Instruction("st.shared.f32 [$0], $1;")
    public static void store(int address, float value) {
        throw new UnsupportedOperationException();
    }

    /** 16 bytes. */
    @Instruction("st.shared.v4.b32 [$0], {$1, $2, $3, $4};")
    public static void store(int address, int a, int b, int c, int d) {
        throw new UnsupportedOperationException();
    }

    /** cp.async of 16 bytes: they are there after {@link #commitCopies}, {@link #awaitCopies} and a barrier. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $2, 4; add.s64 %ga, %ga, $1;"
                    + " cp.async.cg.shared.global [$0], [%ga+$H+$c2], 16; }",
            reads = 1)
    public static void copyAsync(int address, IntArray source, int index) {
        throw new UnsupportedOperationException();
    }

    /** cp.async of 16 bytes, of which the first {@code bytes}, 0 to 16, are read and the others are zero. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $2, 4; add.s64 %ga, %ga, $1;"
                    + " cp.async.cg.shared.global [$0], [%ga+$H+$c2], 16, $3; }",
            reads = 1)
    public static void copyAsync(int address, IntArray source, int index, int bytes) {
        throw new UnsupportedOperationException();
    }

    /** cp.async of 16 bytes of floats. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $2, 4; add.s64 %ga, %ga, $1;"
                    + " cp.async.cg.shared.global [$0], [%ga+$H+$c2], 16; }",
            reads = 1)
    public static void copyAsync(int address, FloatArray source, int index) {
        throw new UnsupportedOperationException();
    }

    /** Makes a group of the thread's copies since the last one. */
    @Instruction("cp.async.commit_group;")
    public static void commitCopies() {
        throw new UnsupportedOperationException();
    }

    /** Waits until at most {@code pending}, a constant, of the thread's latest groups are under way. */
    @Instruction("cp.async.wait_group $0;")
    public static void awaitCopies(int pending) {
        throw new UnsupportedOperationException();
    }

    /** Makes shared memory that threads have written visible to wgmma and bulk copies. */
    @Instruction("fence.proxy.async;")
    public static void fenceAsync() {}
}
