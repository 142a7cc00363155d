package org.tornadodit.kernels.ptx;

/** Floats as the bits that they are. */
public final class FloatBits {

    private FloatBits() {}

    /** The float of these bits. */
    @Instruction(value = "mov.b32 $r, $0;", ordered = false)
    public static float of(int bits) {
        return Float.intBitsToFloat(bits);
    }

    /** The bits of a float. */
    @Instruction(value = "mov.b32 $r, $0;", ordered = false)
    public static int bits(float value) {
        return Float.floatToRawIntBits(value);
    }

    /** The bfloat16, which is the upper half of a float, in the lower half of a pair. */
    @Instruction(value = "{ .reg .b32 %t; shl.b32 %t, $0, 16; mov.b32 $r, %t; }", ordered = false)
    public static float firstBrain(int pair) {
        return Float.intBitsToFloat(pair << 16);
    }

    /** The bfloat16 in the upper half of a pair. */
    @Instruction(value = "{ .reg .b32 %t; and.b32 %t, $0, 0xffff0000; mov.b32 $r, %t; }", ordered = false)
    public static float secondBrain(int pair) {
        return Float.intBitsToFloat(pair & 0xffff0000);
    }
}
