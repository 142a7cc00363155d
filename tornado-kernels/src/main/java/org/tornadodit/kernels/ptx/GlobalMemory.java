package org.tornadodit.kernels.ptx;

import java.lang.foreign.ValueLayout;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Wide accesses to device arrays. Indices count 4-byte elements and are multiples of the access. */
public final class GlobalMemory {

    private GlobalMemory() {}

    /** One float: its index' constant part costs nothing, where TornadoVM's own access takes four instructions for each. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0;"
                    + " ld.global.f32 $r, [%ga+$H+$c1]; }",
            reads = 0)
    public static float load(FloatArray source, int index) {
        return source.get(index);
    }

    /** Four floats into registers {@code i} to {@code i + 3}. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0;"
                    + " ld.global.v4.f32 {$2[3..4]}, [%ga+$H+$c1]; }",
            reads = 0)
    public static void load4(FloatArray source, int index, float[] registers, int i) {
        Alignment.check(index, 4);
        for (int j = 0; j < 4; j++) {
            registers[i + j] = source.get(index + j);
        }
    }

    /** Two floats into registers {@code i} and {@code i + 1}. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0;"
                    + " ld.global.v2.f32 {$2[3..2]}, [%ga+$H+$c1]; }",
            reads = 0)
    public static void load2(FloatArray source, int index, float[] registers, int i) {
        Alignment.check(index, 2);
        registers[i] = source.get(index);
        registers[i + 1] = source.get(index + 1);
    }

    /** Four ints into registers {@code i} to {@code i + 3}. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0;"
                    + " ld.global.v4.b32 {$2[3..4]}, [%ga+$H+$c1]; }",
            reads = 0)
    public static void load4(IntArray source, int index, int[] registers, int i) {
        Alignment.check(index, 4);
        for (int j = 0; j < 4; j++) {
            registers[i + j] = source.get(index + j);
        }
    }

    /**
     * Has {@code bytes} come to the second-level cache: a hint (sm_90). Index and bytes are multiples of 16 bytes.
     */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0; add.s64 %ga, %ga, $H+$c1;"
                    + " cp.async.bulk.prefetch.L2.global [%ga], $2; }",
            reads = 0)
    public static void prefetch(FloatArray source, int index, int bytes) {
        Alignment.check(index, 4);
        Alignment.check(bytes, 16);
        source.get(index + bytes / 4 - 1);
    }

    /** Has the 32 bytes around an element come to the second-level cache if {@code condition} is negative: a hint. */
    @Instruction(
            value = "{ .reg .b64 %ga; .reg .pred %p; setp.lt.s32 %p, $2, 0; mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga,"
                    + " $0; @%p prefetch.global.L2 [%ga+$H+$c1]; }",
            reads = 0)
    public static void prefetchIfNegative(FloatArray source, int index, int condition) {
        if (condition < 0) {
            source.get(index);
        }
    }

    /** Two floats. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0;"
                    + " st.global.v2.f32 [%ga+$H+$c1], {$2, $3}; }",
            writes = 0)
    public static void store2(FloatArray target, int index, float x, float y) {
        Alignment.check(index, 2);
        target.set(index, x);
        target.set(index + 1, y);
    }

    /** Two floats if {@code condition} is negative: without a branch, so that what is around it stays one piece of code. */
    @Instruction(
            value = "{ .reg .b64 %ga; .reg .pred %p; setp.lt.s32 %p, $4, 0;"
                    + " mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0;"
                    + " @%p st.global.v2.f32 [%ga+$H+$c1], {$2, $3}; }",
            writes = 0)
    public static void store2IfNegative(FloatArray target, int index, float x, float y, int condition) {
        if (condition < 0) {
            store2(target, index, x, y);
        }
    }

    /** Four floats if {@code condition} is negative: as {@link #store2IfNegative}. */
    @Instruction(
            value = "{ .reg .b64 %ga; .reg .pred %p; setp.lt.s32 %p, $6, 0;"
                    + " mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0;"
                    + " @%p st.global.v4.f32 [%ga+$H+$c1], {$2, $3, $4, $5}; }",
            writes = 0)
    public static void store4IfNegative(
            FloatArray target, int index, float x, float y, float z, float w, int condition) {
        if (condition < 0) {
            store4(target, index, x, y, z, w);
        }
    }

    /** One int if {@code condition} is negative: as {@link #store2IfNegative}. */
    @Instruction(
            value = "{ .reg .b64 %ga; .reg .pred %p; setp.lt.s32 %p, $3, 0;"
                    + " mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0; @%p st.global.b32 [%ga+$H+$c1], $2; }",
            writes = 0)
    public static void storeIfNegative(IntArray target, int index, int x, int condition) {
        if (condition < 0) {
            store(target, index, x);
        }
    }

    /** Four floats. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0;"
                    + " st.global.v4.f32 [%ga+$H+$c1], {$2, $3, $4, $5}; }",
            writes = 0)
    public static void store4(FloatArray target, int index, float x, float y, float z, float w) {
        Alignment.check(index, 4);
        target.set(index, x);
        target.set(index + 1, y);
        target.set(index + 2, z);
        target.set(index + 3, w);
    }

    /** One int. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0; st.global.b32 [%ga+$H+$c1], $2; }",
            writes = 0)
    public static void store(IntArray target, int index, int x) {
        target.set(index, x);
    }

    /** The lower 16 bits of {@code x} as those of an int, the lower ones where {@code upper} is 0, the upper ones where it is 1. */
    @Instruction(
            value = "{ .reg .b64 %ga, %half; .reg .b16 %low, %high; mul.wide.s32 %ga, $1, 4; mul.wide.s32 %half, $2, 2;"
                    + " add.s64 %ga, %ga, %half; add.s64 %ga, %ga, $0; mov.b32 {%low, %high}, $3;"
                    + " st.global.b16 [%ga+$H+$c1], %low; }",
            writes = 0)
    public static void storeHalf(IntArray target, int index, int upper, int x) {
        target.get(index);
        target.getSegment().set(ValueLayout.JAVA_SHORT_UNALIGNED, 4L * index + 2L * upper, (short) x);
    }

    /** Four ints. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0;"
                    + " st.global.v4.b32 [%ga+$H+$c1], {$2, $3, $4, $5}; }",
            writes = 0)
    public static void store4(IntArray target, int index, int x, int y, int z, int w) {
        Alignment.check(index, 4);
        target.set(index, x);
        target.set(index + 1, y);
        target.set(index + 2, z);
        target.set(index + 3, w);
    }
}
