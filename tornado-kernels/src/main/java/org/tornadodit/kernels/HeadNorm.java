package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * LayerNorm of each head's query and key by itself, before attention: timm's qk_norm, with an epsilon of 1e-5. A thread has a
 * head of a token.
 *
 * <p>Weights are {@code [layer][q_norm.weight, q_norm.bias, k_norm.weight, k_norm.bias][headSize]}.
 */
public final class HeadNorm {
    private static final float EPSILON = 1e-5f;

    private HeadNorm() {}

    /**
     * In place, of plain floats. Launch: {@link Launch#elementwise} of most passes * tokens * 2 heads.
     *
     * @param index (1): the layer
     * @param batch see {@link Batch}
     * @param qkv (N, T, 3 D)
     */
    public static void normalizeHeads(
            KernelContext context,
            IntArray index,
            IntArray batch,
            FloatArray qkv,
            FloatArray norms,
            int tokens,
            int heads,
            int headSize) {
        int thread = context.globalIdx;
        if (thread < batch.get(Batch.PASSES) * tokens * 2 * heads) {
            int which = thread / heads % 2;
            int at = thread / (2 * heads) * 3 * heads * headSize + which * heads * headSize + thread % heads * headSize;
            int weight = (index.get(0) * 4 + which * 2) * headSize;
            float mean = mean(qkv, at, headSize);
            float inverse = inverse(qkv, at, headSize, mean);
            for (int i = 0; i < headSize; i++) {
                float value = (qkv.get(at + i) - mean) * inverse;
                qkv.set(at + i, value * norms.get(weight + i) + norms.get(weight + headSize + i));
            }
        }
    }

    /**
     * Of plain floats into the halves that {@link WarpgroupAttention} reads, values with them. Launch:
     * {@link Launch#elementwise} of most passes * tokens * 3 heads.
     *
     * @param qkv (N, T, 3 D)
     * @param packed see {@link Packed#headIndex}
     * @param overflow see {@link Overflow}
     * @param most passes that there is room for
     */
    public static void pack(
            KernelContext context,
            IntArray index,
            IntArray batch,
            FloatArray qkv,
            FloatArray norms,
            IntArray packed,
            IntArray overflow,
            int most,
            int tokens,
            int heads,
            int headSize,
            int planes) {
        int thread = context.globalIdx;
        if (thread < batch.get(Batch.PASSES) * tokens * 3 * heads) {
            int which = thread / heads % 3;
            int row = thread / (3 * heads);
            int head = thread % heads;
            int at = row * 3 * heads * headSize + which * heads * headSize + head * headSize;
            int to =
                    Packed.headIndex(which, row / tokens, head, row % tokens, 0, most, heads, tokens, headSize, planes);
            int weight = (index.get(0) * 4 + which * 2) * headSize;
            float mean = 0f;
            float inverse = 1f;
            if (which < 2) {
                mean = mean(qkv, at, headSize);
                inverse = inverse(qkv, at, headSize, mean);
            }
            float largest = 0f;
            for (int i = 0; i < headSize; i += 2) {
                float a = (qkv.get(at + i) - mean) * inverse;
                float b = (qkv.get(at + i + 1) - mean) * inverse;
                if (which < 2) {
                    a = a * norms.get(weight + i) + norms.get(weight + headSize + i);
                    b = b * norms.get(weight + i + 1) + norms.get(weight + headSize + i + 1);
                }
                Packed.store(packed, to + i / 8 * 32 + i % 8 / 2, headSize * 4, a, b, planes);
                largest = Packed.largest(largest, a, b);
            }
            Overflow.report(overflow, index.get(0), Overflow.QKV, largest);
        }
    }

    private static float mean(FloatArray values, int at, int size) {
        float sum = 0f;
        for (int i = 0; i < size; i++) {
            sum += values.get(at + i);
        }
        return sum / size;
    }

    private static float inverse(FloatArray values, int at, int size, float mean) {
        float squares = 0f;
        for (int i = 0; i < size; i++) {
            float off = values.get(at + i) - mean;
            squares += off * off;
        }
        return 1f / TornadoMath.sqrt(squares / size + EPSILON);
    }

    /** The float64 value of a query's, key's or value's element i, of (N, T, 3 D). */
    public static double reference(FloatArray qkv, FloatArray norms, int layer, int heads, int headSize, int i) {
        int width = heads * headSize;
        int which = i / width % 3;
        if (which == 2) {
            return qkv.get(i);
        }
        int at = i / headSize * headSize;
        double mean = 0;
        for (int j = 0; j < headSize; j++) {
            mean += qkv.get(at + j) / (double) headSize;
        }
        double variance = 0;
        for (int j = 0; j < headSize; j++) {
            variance += (qkv.get(at + j) - mean) * (qkv.get(at + j) - mean) / headSize;
        }
        int weight = (layer * 4 + which * 2) * headSize;
        return (qkv.get(i) - mean) / Math.sqrt(variance + EPSILON) * norms.get(weight + i % headSize)
                + norms.get(weight + headSize + i % headSize);
    }
}
