package org.tornadodit.model.cpu;

import org.tornadodit.model.Tensor;
import org.tornadodit.model.dit.DitWeights.HeadNorms;

/** LayerNorm over the head size of each query and key (timm's qk_norm). */
final class HeadNorm {
    /** timm's, PyTorch's default. */
    private static final float EPSILON = 1e-5f;

    private final Workers workers;

    HeadNorm(Workers workers) {
        this.workers = workers;
    }

    /**
     * In place.
     *
     * @param qkv (rows, 3 D): queries, keys and values of all heads
     */
    void apply(float[] qkv, HeadNorms norms, int rows, int heads, int headSize) {
        float[] queryWeight = values(norms.query().weight());
        float[] queryBias = values(norms.query().bias());
        float[] keyWeight = values(norms.key().weight());
        float[] keyBias = values(norms.key().bias());
        int width = heads * headSize;
        workers.forEach(rows, (row, worker) -> {
            for (int head = 0; head < heads; head++) {
                int query = row * 3 * width + head * headSize;
                normalize(qkv, query, queryWeight, queryBias);
                normalize(qkv, query + width, keyWeight, keyBias);
            }
        });
    }

    private static float[] values(Tensor tensor) {
        return tensor.toArray();
    }

    private static void normalize(float[] values, int at, float[] weight, float[] bias) {
        int size = weight.length;
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += values[at + i];
        }
        double mean = sum / size;
        double squares = 0;
        for (int i = 0; i < size; i++) {
            double off = values[at + i] - mean;
            squares += off * off;
        }
        float inverse = (float) (1 / Math.sqrt(squares / size + EPSILON));
        for (int i = 0; i < size; i++) {
            values[at + i] = (float) (values[at + i] - mean) * inverse * weight[i] + bias[i];
        }
    }
}
