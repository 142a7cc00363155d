package org.tornadodit.kernels.ptx;

import java.util.Arrays;

/**
 * Register arrays: a thread's private values that a tensor core instruction takes many of. On the GPU an array is a set
 * of registers with numbered names, so every index must be a constant after the compiler has unrolled the loops around
 * it; on the host it is a Java array. An array variable is assigned once and never to another variable.
 */
public final class Registers {

    private Registers() {}

    /** {@code count} float registers, zero. */
    @Instruction(".reg .f32 $r_<$0>; $each(mov.f32 $r_#, 0f00000000;)")
    public static float[] floats(int count) {
        return new float[count];
    }

    /** {@code count} 32-bit registers, each for an int or two halves; zero. */
    @Instruction(".reg .b32 $r_<$0>; $each(mov.b32 $r_#, 0;)")
    public static int[] ints(int count) {
        return new int[count];
    }

    /** Register {@code i}. */
    @Instruction("mov.f32 $r, $0[1];")
    public static float get(float[] registers, int i) {
        return registers[i];
    }

    /** Register {@code i}. */
    @Instruction("mov.b32 $r, $0[1];")
    public static int get(int[] registers, int i) {
        return registers[i];
    }

    /** Sets register {@code i}. */
    @Instruction("mov.f32 $0[1], $2;")
    public static void set(float[] registers, int i, float value) {
        registers[i] = value;
    }

    /** Sets register {@code i}. */
    @Instruction("mov.b32 $0[1], $2;")
    public static void set(int[] registers, int i, int value) {
        registers[i] = value;
    }

    /** Sets all registers to zero. */
    @Instruction("$each(mov.f32 $0_#, 0f00000000;)")
    public static void clear(float[] registers) {
        Arrays.fill(registers, 0f);
    }

    /** {@code sums += high + low * scale} in each register, {@code low * scale} fused; {@code scale} is constant. */
    @Instruction("{ .reg .f32 %t; $each(fma.rn.f32 %t, $2_#, $3, $1_#; add.f32 $0_#, $0_#, %t;) }")
    public static void addSplit(float[] sums, float[] high, float[] low, float scale) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += Math.fma(low[i], scale, high[i]);
        }
    }

    /** {@code sums += terms} in each register. */
    @Instruction("$each(add.f32 $0_#, $0_#, $1_#;)")
    public static void add(float[] sums, float[] terms) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += terms[i];
        }
    }

    /** The value, hidden from the compiler: a loop that ends at it is not unrolled. */
    @Instruction(value = "mov.b32 $r, $0;", ordered = false)
    public static int opaque(int value) {
        return value;
    }
}
