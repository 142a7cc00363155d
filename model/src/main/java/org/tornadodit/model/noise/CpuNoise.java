package org.tornadodit.model.noise;

import java.util.Arrays;

/**
 * {@code torch.randn} on the CPU, bit for bit as PyTorch's builds for x86-64 with AVX2 and FMA draw it (AVX-512 machines
 * run the same code). Calls of 16 elements and more are made of blocks of 16 float32 uniforms; shorter calls draw in
 * double precision, in pairs, and keep the second of a pair for the next short call.
 *
 * <p>Source: {@code normal_fill} in PyTorch's {@code aten/src/ATen/native/cpu/DistributionTemplates.h};
 * {@code normal_distribution} in {@code aten/src/ATen/core/DistributionsHelper.h}.
 */
public final class CpuNoise implements NoiseStream {

    private static final int BLOCK = 16;
    private static final int HALF = BLOCK / 2;
    private static final float TWO_PI = (float) (2 * Math.PI);

    private final Mt19937 generator;
    /** Second normal of the last pair of the short path, NaN when there is none. */
    private double kept = Double.NaN;

    CpuNoise(long seed) {
        // PyTorch's generator takes the low 32 bits of the seed.
        generator = new Mt19937((int) seed);
    }

    private CpuNoise(CpuNoise other) {
        generator = new Mt19937(other.generator);
        kept = other.kept;
    }

    /** A stream of its own that goes on as this one will; 2.5 KB. */
    public CpuNoise copy() {
        return new CpuNoise(this);
    }

    @Override
    public float[] next(int n, int from, int to) {
        NoiseStream.requireRange(n, from, to);
        float[] values = new float[n];
        if (n < BLOCK) {
            for (int i = 0; i < n; i++) {
                values[i] = (float) scalar();
            }
        } else {
            fill(values, from, to);
        }
        return from == 0 && to == n ? values : Arrays.copyOfRange(values, from, to);
    }

    private void fill(float[] values, int from, int to) {
        int n = values.length;
        for (int i = 0; i < n; i++) {
            values[i] = uniform();
        }
        for (int start = 0; start + BLOCK <= n; start += BLOCK) {
            if (start < to && start + BLOCK > from) {
                normals(values, start);
            }
        }
        if (n % BLOCK != 0) {
            int start = n - BLOCK;
            for (int i = start; i < n; i++) {
                values[i] = uniform();
            }
            normals(values, start);
        }
    }

    /** A uniform in [0, 1) of 24 bits. */
    private float uniform() {
        return (generator.next() & 0xFFFFFF) * 0x1p-24f;
    }

    /** A uniform in [0, 1) of 53 bits; the first word drawn is the high one. */
    private double uniformDouble() {
        long high = generator.next();
        long low = generator.next() & 0xFFFFFFFFL;
        return ((high << 32 | low) & (1L << 53) - 1) * 0x1p-53;
    }

    private double scalar() {
        if (!Double.isNaN(kept)) {
            double value = kept;
            kept = Double.NaN;
            return value;
        }
        double angle = 2 * Math.PI * uniformDouble();
        double radius = Math.sqrt(-2 * Math.log1p(-uniformDouble()));
        kept = radius * Math.sin(angle);
        return radius * Math.cos(angle);
    }

    /** Box-Muller in place on 16 uniforms: element j has the radius of the pair (j, j + 8), element j + 8 its angle. */
    private static void normals(float[] values, int start) {
        for (int j = start; j < start + HALF; j++) {
            float radius = (float) Math.sqrt(-2f * VectorMath.log(1 - values[j]));
            float angle = TWO_PI * values[j + HALF];
            values[j] = radius * VectorMath.cos(angle);
            values[j + HALF] = radius * VectorMath.sin(angle);
        }
    }
}
