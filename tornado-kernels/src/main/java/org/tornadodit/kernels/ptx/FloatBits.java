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
}
