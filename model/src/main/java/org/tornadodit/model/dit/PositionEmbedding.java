package org.tornadodit.model.dit;

/** The fixed two-dimensional sine-cosine embedding of a token's place (Vaswani et al.; MAE's two-dimensional form). */
public final class PositionEmbedding {

    private static final double MAX_PERIOD = 10_000;

    private PositionEmbedding() {}

    /**
     * The embedding of a square grid, computed in double and rounded once: (gridSize * gridSize, hiddenSize). The first
     * half of a token's values encodes its column, the second its row; each half is sines, then cosines, of
     * {@code place / 10000^(i / (hiddenSize / 4))}.
     *
     * @param hiddenSize a multiple of 4
     * @throws IllegalArgumentException when it is not
     */
    public static float[] sinCos(int hiddenSize, int gridSize) {
        if (hiddenSize % 4 != 0) {
            throw new IllegalArgumentException("hidden size is " + hiddenSize + ", expected a multiple of 4");
        }
        int quarter = hiddenSize / 4;
        float[] embedding = new float[Math.multiplyExact(gridSize * gridSize, hiddenSize)];
        for (int row = 0; row < gridSize; row++) {
            for (int column = 0; column < gridSize; column++) {
                int token = (row * gridSize + column) * hiddenSize;
                for (int i = 0; i < quarter; i++) {
                    double frequency = 1 / Math.pow(MAX_PERIOD, (double) i / quarter);
                    embedding[token + i] = (float) Math.sin(column * frequency);
                    embedding[token + quarter + i] = (float) Math.cos(column * frequency);
                    embedding[token + 2 * quarter + i] = (float) Math.sin(row * frequency);
                    embedding[token + 3 * quarter + i] = (float) Math.cos(row * frequency);
                }
            }
        }
        return embedding;
    }
}
