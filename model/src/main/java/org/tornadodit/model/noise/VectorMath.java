package org.tornadodit.model.noise;

/**
 * The float32 logarithm, sine and cosine of the Cephes library (Moshier), in the order of operations of PyTorch's vector
 * code, with the multiply-adds that its compiler fuses: other formulas would differ from {@code torch.randn} in the last
 * bits. Arguments are those of Box-Muller: positive normal numbers for the logarithm, 0 to 2 pi for sine and cosine.
 */
final class VectorMath {

    private static final float SQRT_HALF = 0.70710678f;
    private static final float[] LOG = {
        7.0376836292e-2f,
        -1.1514610310e-1f,
        1.1676998740e-1f,
        -1.2420140846e-1f,
        1.4249322787e-1f,
        -1.6668057665e-1f,
        2.0000714765e-1f,
        -2.4999993993e-1f,
        3.3333331174e-1f
    };
    /** ln 2 in two parts, the larger with few bits. */
    private static final float LN2_HIGH = 0.693359375f;

    private static final float LN2_LOW = -2.12194440e-4f;

    private static final float FOUR_OVER_PI = 1.27323954473516f;
    /** pi / 4 in three parts. */
    private static final float PI_4_HIGH = 0.78515625f;

    private static final float PI_4_MIDDLE = 2.4187564849853515625e-4f;
    private static final float PI_4_LOW = 3.77489497744594108e-8f;

    private VectorMath() {}

    /** ln x. */
    static float log(float x) {
        int bits = Float.floatToRawIntBits(x);
        float exponent = (bits >>> 23) - 126;
        float mantissa = Float.intBitsToFloat(bits & 0x007FFFFF | 0x3F000000);
        float m = mantissa - 1;
        if (mantissa < SQRT_HALF) {
            exponent -= 1;
            m += mantissa;
        }
        float square = m * m;
        float y = LOG[0];
        for (int i = 1; i < LOG.length; i++) {
            y = Math.fma(y, m, LOG[i]);
        }
        y *= m;
        y = Math.fma(y, square, exponent * LN2_LOW);
        y = Math.fma(-0.5f, square, y);
        return Math.fma(exponent, LN2_HIGH, m + y);
    }

    /** sin x. */
    static float sin(float x) {
        int octant = octant(x);
        float reduced = reduce(x, octant);
        float value = (octant & 2) == 0 ? sinPolynomial(reduced) : cosPolynomial(reduced);
        return (octant & 4) == 0 ? value : -value;
    }

    /** cos x. */
    static float cos(float x) {
        int octant = octant(x);
        float reduced = reduce(x, octant);
        float value = (octant & 2) == 0 ? cosPolynomial(reduced) : sinPolynomial(reduced);
        return (octant - 2 & 4) != 0 ? value : -value;
    }

    /** Multiples of pi / 4, rounded up to an even number. */
    private static int octant(float x) {
        return (int) (x * FOUR_OVER_PI) + 1 & ~1;
    }

    private static float reduce(float x, int octant) {
        float reduced = Math.fma(-PI_4_HIGH, octant, x);
        reduced = Math.fma(-PI_4_MIDDLE, octant, reduced);
        return Math.fma(-PI_4_LOW, octant, reduced);
    }

    private static float cosPolynomial(float x) {
        float z = x * x;
        float y = Math.fma(2.443315711809948e-5f, z, -1.388731625493765e-3f);
        y = Math.fma(y, z, 4.166664568298827e-2f);
        y *= z;
        return Math.fma(y, z, -0.5f * z) + 1;
    }

    private static float sinPolynomial(float x) {
        float z = x * x;
        float y = Math.fma(-1.9515295891e-4f, z, 8.3321608736e-3f);
        y = Math.fma(y, z, -1.6666654611e-1f);
        y *= z;
        return Math.fma(y, x, x);
    }
}
