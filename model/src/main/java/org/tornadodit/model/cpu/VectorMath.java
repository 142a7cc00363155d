package org.tornadodit.model.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Functions of single elements, a vector at a time. */
final class VectorMath {

    private static final VectorSpecies<Float> SPECIES = TileKernel.SPECIES;

    private static final float LOG2_E = 1.44269504f;
    /** ln 2 in two parts: the high one has trailing zeros, so that its multiples up to 2^8 are exact. */
    private static final float LN2_HIGH = 0.693359375f;

    private static final float LN2_LOW = -2.12194440e-4f;
    /** 1.5 * 2^23: adding it rounds to an integer, which then lies in the lowest bits. */
    private static final float ROUNDER = 12_582_912f;

    private static final float SMALLEST = -86.6f;
    private static final float LARGEST = 88.7f;

    /** sqrt(2 / pi), as torch has it in float32. */
    private static final float GELU_SCALE = 0.7978845608f;

    private static final float GELU_CUBIC = 0.044715f;

    private VectorMath() {}

    /**
     * e^x to 1 ulp: x = n ln 2 + r with |r| at most ln 2 / 2, a polynomial of r, times 2^n. Below -86.6, near the
     * smallest normal number, it gives 0; above 88.7, infinity. NaN stays NaN.
     */
    static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.max(SMALLEST).min(LARGEST);
        FloatVector rounded =
                clamped.fma(FloatVector.broadcast(SPECIES, LOG2_E), FloatVector.broadcast(SPECIES, ROUNDER));
        FloatVector n = rounded.sub(ROUNDER);
        FloatVector r = n.fma(FloatVector.broadcast(SPECIES, -LN2_HIGH), clamped);
        r = n.fma(FloatVector.broadcast(SPECIES, -LN2_LOW), r);
        // Taylor's series to r^7, whose remainder is below 2^-27 for |r| <= 0.35.
        FloatVector series = FloatVector.broadcast(SPECIES, 1f / 5040);
        series = series.fma(r, FloatVector.broadcast(SPECIES, 1f / 720));
        series = series.fma(r, FloatVector.broadcast(SPECIES, 1f / 120));
        series = series.fma(r, FloatVector.broadcast(SPECIES, 1f / 24));
        series = series.fma(r, FloatVector.broadcast(SPECIES, 1f / 6));
        series = series.fma(r, FloatVector.broadcast(SPECIES, 0.5f));
        series = series.mul(r).fma(r, r).add(1f);
        IntVector power = rounded.reinterpretAsInts().add(127 - 1).lanewise(VectorOperators.LSHL, 23);
        FloatVector result = series.mul(power.reinterpretAsFloats()).mul(2f);
        result = result.blend(0f, x.compare(VectorOperators.LT, SMALLEST));
        return result.blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, LARGEST));
    }

    /** x * sigmoid(x). */
    static FloatVector silu(FloatVector x) {
        return x.div(exp(x.neg()).add(1f));
    }

    /**
     * GELU with tanh, {@code nn.GELU(approximate="tanh")}: x / 2 * (1 + tanh(u)), u = sqrt(2 / pi) (x + 0.044715 x^3).
     * Computed as x / (1 + e^(-2 u)), the same function, without the loss of digits where tanh is near -1.
     */
    static FloatVector gelu(FloatVector x) {
        FloatVector cubic = x.mul(x).mul(GELU_CUBIC).fma(x, x);
        return x.div(exp(cubic.mul(-2f * GELU_SCALE)).add(1f));
    }

    /**
     * The sum of the lanes, in order: {@code reduceLanes} leaves its order, and so its rounding, to the compiler.
     *
     * @param scratch at least as long as a vector
     */
    static double sumInOrder(FloatVector lanes, float[] scratch) {
        lanes.intoArray(scratch, 0);
        double sum = 0;
        for (int i = 0; i < TileKernel.LANES; i++) {
            sum += scratch[i];
        }
        return sum;
    }
}
