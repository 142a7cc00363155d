package org.tornadodit.model.dit;

/** The sinusoidal embedding of a timestep (Vaswani et al.; GLIDE's {@code timestep_embedding}). */
public final class TimestepEmbedding {

    private static final float LOG_MAX_PERIOD = (float) Math.log(10_000);

    private TimestepEmbedding() {}

    /**
     * The frequencies {@code exp(-ln(10000) i / half)}, i from 0 to half - 1, each step rounded to float32 as torch
     * does, because at timestep 999 their rounding shows in the fifth digit of the embedding.
     */
    public static float[] frequencies(int half) {
        float[] frequencies = new float[half];
        for (int i = 0; i < half; i++) {
            float exponent = -LOG_MAX_PERIOD * i / half;
            frequencies[i] = (float) Math.exp(exponent);
        }
        return frequencies;
    }

    /** Cosines of {@code t * frequency}, then their sines: {@link DitConfig#FREQUENCY_SIZE} values. */
    public static float[] of(double t) {
        int half = DitConfig.FREQUENCY_SIZE / 2;
        float[] frequencies = frequencies(half);
        float[] embedding = new float[2 * half];
        for (int i = 0; i < half; i++) {
            float angle = (float) t * frequencies[i];
            embedding[i] = (float) Math.cos(angle);
            embedding[half + i] = (float) Math.sin(angle);
        }
        return embedding;
    }
}
