package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** Errors in units of the last place of the exact result; for sine and cosine near their zeros, of 2^-24. */
class FloatMathTest {
    private interface FloatFunction {
        float apply(float x);
    }

    @Test
    void logarithmOfTheUnitInterval() {
        assertUlps("log", FloatMath::logUnit, Math::log, 0x1p-33, 1, 0, 1.5);
        assertUlps("log near 1", FloatMath::logUnit, Math::log, 1 - 0x1p-10, 1, 0, 1.5);
        assertTrue(FloatMath.logUnit(1f) == 0f, "log 1 is 0");
    }

    @Test
    void sineAndCosineOfAFullTurn() {
        assertUlps("sin", FloatMath::sin, Math::sin, 0, 2 * Math.PI, 0x1p-24, 1.5);
        assertUlps("cos", FloatMath::cos, Math::cos, 0, 2 * Math.PI, 0x1p-24, 1.5);
    }

    @Test
    void geluAndSiluFromTheExponential() {
        // exp(-x) overflows at the far end, where both are 0 to float's last place.
        assertUlps("silu", FloatMath::silu, FloatMath::siluReference, -80, 80, 1e-7, 16);
        assertUlps("gelu", FloatMath::gelu, FloatMath::geluReference, -5, 5, 1e-7, 8);
    }

    private static void assertUlps(
            String name,
            FloatFunction actual,
            DoubleUnaryOperator expected,
            double low,
            double high,
            double floor,
            double bound) {
        long seed = 20261122;
        SplittableRandom values = new SplittableRandom(seed);
        double worst = 0;
        float at = 0;
        for (int i = 0; i < 400_000; i++) {
            float x = (float) (low + (high - low) * values.nextDouble());
            double exact = expected.applyAsDouble(x);
            double ulp = Math.max(Math.ulp((float) exact), floor);
            double error = Math.abs(actual.apply(x) - exact) / ulp;
            if (!(error <= worst)) {
                worst = error;
                at = x;
            }
        }
        String line = name + ": " + worst + " ulp at " + at + " (seed " + seed + ")";
        System.out.println(line);
        assertTrue(worst <= bound, line);
    }
}
