package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.math.TornadoMath;

/**
 * Elementary functions in FP32 for kernels. TornadoVM compiles log, sin, cos and tanh to approximate instructions with
 * absolute errors near 1e-6 (tanh: 5e-4); these are made of multiply-adds and are good to about an ulp. They use no bit
 * patterns, because its PTX backend cannot reinterpret a float as an int.
 */
public final class FloatMath {
    private static final float SQRT_2_OVER_PI_TIMES_2 = 1.5957691216057308f;
    private static final float GELU_CUBIC = 0.044715f;
    private static final float SQRT_HALF = 0.70710678f;
    /** ln 2 in two parts; the first has few bits, so that a product with an exponent is exact. */
    private static final float LN2_HIGH = 0.693359375f;

    private static final float LN2_LOW = -2.12194440e-4f;
    /** pi / 4 in three parts (W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980). */
    private static final float PI_4_HIGH = 0.78515625f;

    private static final float PI_4_MIDDLE = 2.4187564849853515625e-4f;
    private static final float PI_4_LOW = 3.77489497744594108e-8f;
    private static final float FOUR_OVER_PI = 1.27323954473516f;

    private FloatMath() {}

    /** x / (1 + exp(-x)). */
    static float silu(float x) {
        return x / (1f + TornadoMath.exp(-x));
    }

    /** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), which is x times a sigmoid of twice tanh's argument. */
    static float gelu(float x) {
        return x / (1f + TornadoMath.exp(-SQRT_2_OVER_PI_TIMES_2 * (x + GELU_CUBIC * x * x * x)));
    }

    static double siluReference(double x) {
        return x / (1 + Math.exp(-x));
    }

    static double geluReference(double x) {
        return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    /**
     * Natural logarithm of a normal float in (2^-64, 1]: the argument is scaled to [sqrt(1/2), sqrt(2)), and log(1 + f)
     * is a polynomial of degree 9 in f (coefficients of the Cephes library's logf, S. L. Moshier).
     */
    public static float logUnit(float u) {
        float mantissa = u;
        float exponent = 0f;
        if (mantissa < 0x1p-32f) {
            mantissa = mantissa * 0x1p32f;
            exponent = exponent - 32f;
        }
        if (mantissa < 0x1p-16f) {
            mantissa = mantissa * 0x1p16f;
            exponent = exponent - 16f;
        }
        if (mantissa < 0x1p-8f) {
            mantissa = mantissa * 0x1p8f;
            exponent = exponent - 8f;
        }
        if (mantissa < 0x1p-4f) {
            mantissa = mantissa * 0x1p4f;
            exponent = exponent - 4f;
        }
        if (mantissa < 0x1p-2f) {
            mantissa = mantissa * 0x1p2f;
            exponent = exponent - 2f;
        }
        if (mantissa < 0.5f) {
            mantissa = mantissa * 2f;
            exponent = exponent - 1f;
        }
        if (mantissa < SQRT_HALF) {
            mantissa = mantissa * 2f;
            exponent = exponent - 1f;
        }
        float f = mantissa - 1f;
        float square = f * f;
        float p = 7.0376836292e-2f;
        p = p * f - 1.1514610310e-1f;
        p = p * f + 1.1676998740e-1f;
        p = p * f - 1.2420140846e-1f;
        p = p * f + 1.4249322787e-1f;
        p = p * f - 1.6668057665e-1f;
        p = p * f + 2.0000714765e-1f;
        p = p * f - 2.4999993993e-1f;
        p = p * f + 3.3333331174e-1f;
        float tail = p * f * square + exponent * LN2_LOW - 0.5f * square;
        return f + tail + exponent * LN2_HIGH;
    }

    /** Sine of an angle in [0, 8192). */
    public static float sin(float angle) {
        return sine(angle, 0);
    }

    /** Cosine of an angle in [0, 8192). */
    public static float cos(float angle) {
        return sine(angle, 2);
    }

    /**
     * Sine of angle + quarter * pi / 4 for quarter 0 or 2: reduction to an octant and Cephes' polynomials of sinf,
     * cosf.
     */
    private static float sine(float angle, int quarter) {
        int octant = (int) (angle * FOUR_OVER_PI);
        octant = octant + (octant & 1);
        float multiple = (float) octant;
        float r = angle - multiple * PI_4_HIGH;
        r = r - multiple * PI_4_MIDDLE;
        r = r - multiple * PI_4_LOW;
        float square = r * r;
        int place = (octant + quarter) & 7;
        float result;
        if ((place & 2) == 0) {
            float p = -1.9515295891e-4f;
            p = p * square + 8.3321608736e-3f;
            p = p * square - 1.6666654611e-1f;
            result = p * square * r + r;
        } else {
            float p = 2.443315711809948e-5f;
            p = p * square - 1.388731625493765e-3f;
            p = p * square + 4.166664568298827e-2f;
            result = p * square * square - 0.5f * square + 1f;
        }
        if ((place & 4) != 0) {
            result = -result;
        }
        return result;
    }
}
