package org.tornadodit.kernels.ptx;

/** IEEE binary16 numbers, two in an int: the first in the lower 16 bits, as they lie in memory. */
public final class Halves {

    private Halves() {}

    /** Both numbers rounded to nearest even; beyond 65504 infinity. */
    @Instruction(
            value = "{ .reg .b32 %t; cvt.rn.f16x2.f32 %t, $1, $0; mov.b32 $r, %t; }",
            volta = "{ .reg .b16 %l, %h; cvt.rn.f16.f32 %l, $0; cvt.rn.f16.f32 %h, $1; mov.b32 $r, {%l, %h}; }",
            ordered = false)
    public static int pack(float first, float second) {
        return (Float.floatToFloat16(first) & 0xffff) | Float.floatToFloat16(second) << 16;
    }

    /** The number in the lower half. */
    @Instruction(value = "{ .reg .b16 %l, %h; mov.b32 {%l, %h}, $0; cvt.f32.f16 $r, %l; }", ordered = false)
    public static float first(int pair) {
        return Float.float16ToFloat((short) pair);
    }

    /** The number in the upper half. */
    @Instruction(value = "{ .reg .b16 %l, %h; mov.b32 {%l, %h}, $0; cvt.f32.f16 $r, %h; }", ordered = false)
    public static float second(int pair) {
        return Float.float16ToFloat((short) (pair >> 16));
    }
}
