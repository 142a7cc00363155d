package org.tornadodit.kernels.ptx;

/**
 * Numbers of eight bits, E4M3 (torch.float8_e4m3fn): a sign, 4 bits of exponent with bias 7, 3 bits of fraction; no
 * infinity, the largest is 448. Four lie in an int, the first in the lowest bits, as they lie in memory.
 */
public final class Float8 {
    /** Largest number. */
    public static final float LARGEST = 448f;

    private static final int LARGEST_CODE = 0x7e;
    private static final int NAN = 0x7f;

    private Float8() {}

    /** Four numbers rounded to nearest even; what is beyond 448 becomes 448. */
    @Instruction(
            value = "{ .reg .b16 %l, %h; cvt.rn.satfinite.e4m3x2.f32 %l, $1, $0;"
                    + " cvt.rn.satfinite.e4m3x2.f32 %h, $3, $2; mov.b32 $r, {%l, %h}; }",
            ordered = false)
    public static int pack(float first, float second, float third, float fourth) {
        return code(first) | code(second) << 8 | code(third) << 16 | code(fourth) << 24;
    }

    /** The eight bits of a number. */
    static int code(float x) {
        int sign = Float.floatToRawIntBits(x) >>> 24 & 0x80;
        float magnitude = Math.abs(x);
        if (Float.isNaN(x)) {
            return NAN;
        }
        if (magnitude >= LARGEST) {
            return sign | LARGEST_CODE;
        }
        if (magnitude < 0x1p-6f) {
            return sign | (int) Math.rint(magnitude * 0x1p9f);
        }
        int bits = Float.floatToRawIntBits(magnitude);
        int rounded = bits + 0x7ffff + (bits >>> 20 & 1) >>> 20;
        return sign | Math.min(rounded - (120 << 3), LARGEST_CODE);
    }

    /** The number of eight bits. */
    public static float value(int code) {
        int exponent = code >>> 3 & 15;
        int fraction = code & 7;
        if ((code & 0x7f) == NAN) {
            return Float.NaN;
        }
        float magnitude = exponent == 0 ? fraction * 0x1p-9f : Math.scalb(8f + fraction, exponent - 10);
        return (code & 0x80) != 0 ? -magnitude : magnitude;
    }
}
