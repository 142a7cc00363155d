package org.tornadodit.kernels.ptx;

import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Wide accesses to device arrays. Indices count 4-byte elements and are multiples of the access. */
public final class GlobalMemory {

    private GlobalMemory() {}

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
