package org.tornadodit.model.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/** Functions of single elements against the JDK's in float64. */
class VectorMathTest {

    @Test
    void expIsGoodToOneUnitInTheLastPlace() {
        assertUnits("exp", VectorMath::exp, Math::exp, -86.5f, 88.6f, 1.1);
    }

    @Test
    void siluIsGoodToThreeUnits() {
        assertUnits("silu", VectorMath::silu, x -> x / (1 + Math.exp(-x)), -60, 60, 3);
    }

    @Test
    void geluIsNnGeluWithTanh() {
        // The exponent's own rounding, up to 87 times half a unit, remains where the result is tiny.
        assertUnits("gelu", VectorMath::gelu, VectorMathTest::gelu, -1.5f, 20, 4);
        assertUnits("gelu", VectorMath::gelu, VectorMathTest::gelu, -5, -1.5f, 64);
    }

    private static double gelu(double x) {
        double u = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
        return x / (1 + Math.exp(-2 * u));
    }

    @Test
    void endsOfTheRangeAreThoseOfTheFunctions() {
        assertEquals(0f, first(VectorMath::exp, Float.NEGATIVE_INFINITY));
        assertEquals(0f, first(VectorMath::exp, -1000));
        assertEquals(1f, first(VectorMath::exp, 0));
        assertEquals(Float.POSITIVE_INFINITY, first(VectorMath::exp, 100));
        assertEquals(Float.POSITIVE_INFINITY, first(VectorMath::exp, Float.POSITIVE_INFINITY));
        assertTrue(Float.isNaN(first(VectorMath::exp, Float.NaN)));
        assertEquals(0f, first(VectorMath::gelu, -1000), 0f);
        assertEquals(1000f, first(VectorMath::gelu, 1000));
        assertEquals(0f, first(VectorMath::silu, -1000), 0f);
        assertEquals(1000f, first(VectorMath::silu, 1000));
    }

    private static float first(UnaryOperator<FloatVector> function, float x) {
        return function.apply(FloatVector.broadcast(TileKernel.SPECIES, x)).lane(0);
    }

    private static void assertUnits(
            String name,
            UnaryOperator<FloatVector> function,
            DoubleUnaryOperator exact,
            float from,
            float to,
            double most) {
        int steps = 40_000;
        float[] x = new float[TileKernel.LANES];
        float[] y = new float[TileKernel.LANES];
        double worst = 0;
        float at = 0;
        for (int i = 0; i < steps; i += x.length) {
            for (int j = 0; j < x.length; j++) {
                x[j] = from + (to - from) * (i + j) / (steps + x.length);
            }
            function.apply(FloatVector.fromArray(TileKernel.SPECIES, x, 0)).intoArray(y, 0);
            for (int j = 0; j < x.length; j++) {
                double expected = exact.applyAsDouble(x[j]);
                double units = Math.abs(y[j] - expected) / Math.ulp((float) expected);
                if (!(units <= worst)) {
                    worst = units;
                    at = x[j];
                }
            }
        }
        System.out.printf("%s: %.2f units in the last place at %s%n", name, worst, at);
        assertTrue(worst <= most, name + " is off by " + worst + " units in the last place at " + at);
    }
}
