package org.tornadodit.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Weights as {@link TensorLinear} reads them, packed on the host once. Each layer's are multiplied by a power of two that
 * brings the largest to between 2^13 and 2^14: halves have their full 11 bits from 2^-14 on, so that weights down to
 * 2^-28 of the largest keep 22 bits in two planes. The product is divided by it, which is exact.
 *
 * @param weight (layers, N, K) packed, rows not padded, and what the last tile reads beyond them
 * @param bias (layers, N + 1): a layer's biases, then the factor that undoes its scale
 */
public record PackedWeights(IntArray weight, FloatArray bias) {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int LARGEST_EXPONENT = 13;

    /**
     * Packs the layers one after the other.
     *
     * @param weights (N, K) float32 of each layer
     * @param biases (N) float32 of each layer
     * @param n a multiple of 8
     * @param k a multiple of 16
     */
    public static PackedWeights of(List<MemorySegment> weights, List<MemorySegment> biases, int n, int k, int planes) {
        PackedWeights result = new PackedWeights(
                ArrayPages.ints(TensorLinear.weightSize(weights.size(), n, k, planes)),
                ArrayPages.floats(Math.multiplyExact(weights.size(), n + 1)));
        result.fill(weights, biases, n, k, planes);
        return result;
    }

    /** As {@link #of}, into arrays of these sizes. */
    public void fill(List<MemorySegment> weights, List<MemorySegment> biases, int n, int k, int planes) {
        int layers = weights.size();
        for (int layer = 0; layer < layers; layer++) {
            MemorySegment from = weights.get(layer);
            int exponent = exponent(from, n, k);
            float scale = Math.scalb(1f, LARGEST_EXPONENT - exponent);
            int at = layer * (n * (k / 2) * Packed.halves(planes));
            if (planes == Packed.MIXED) {
                Mixed.pack(from, weight, at, n, n, k, scale, true);
            } else {
                pack(from, weight, at, n, n, k, planes, scale);
            }
            for (int i = 0; i < n; i++) {
                bias.set(layer * (n + 1) + i, biases.get(layer).getAtIndex(FLOAT, i));
            }
            bias.set(layer * (n + 1) + n, 1f / scale);
        }
    }

    /**
     * Packs layers of the same input as one of all their outputs, into arrays of the sizes of {@link #of} for that one.
     *
     * @param weights (N, K) float32 of each layer
     * @param biases (N) float32 of each layer
     * @param n of a layer, a multiple of 8
     * @param k a multiple of 16
     */
    public void fillTogether(List<MemorySegment> weights, List<MemorySegment> biases, int n, int k, int planes) {
        int all = Math.multiplyExact(weights.size(), n);
        int exponent =
                weights.stream().mapToInt(layer -> exponent(layer, n, k)).max().orElseThrow();
        float scale = Math.scalb(1f, LARGEST_EXPONENT - exponent);
        for (int layer = 0; layer < weights.size(); layer++) {
            int at = layer * n * (Packed.eightRows(planes) / 8);
            if (planes == Packed.MIXED) {
                Mixed.pack(weights.get(layer), weight, at, n, all, k, scale, true);
            } else {
                pack(weights.get(layer), weight, at, n, all, k, planes, scale);
            }
            for (int i = 0; i < n; i++) {
                bias.set(layer * n + i, biases.get(layer).getAtIndex(FLOAT, i));
            }
        }
        bias.set(all, 1f / scale);
    }

    /** The exponent of the largest magnitude, within what leaves scale and product normal floats. */
    private static int exponent(MemorySegment values, int n, int k) {
        float largest = (float) IntStream.range(0, n)
                .parallel()
                .mapToDouble(row -> {
                    float most = 0;
                    for (int i = 0; i < k; i++) {
                        most = Math.max(most, Math.abs(values.getAtIndex(FLOAT, (long) row * k + i)));
                    }
                    return most;
                })
                .max()
                .orElse(0);
        return Math.clamp(Math.getExponent(largest), -100, 100);
    }

    /** Packs (rows, columns) floats as an operand of activations. */
    public static void packActivations(MemorySegment from, IntArray to, int rows, int columns, int planes) {
        if (planes == Packed.MIXED) {
            Mixed.pack(from, to, 0, rows, Packed.paddedRows(rows), columns, 1f, false);
        } else {
            pack(from, to, 0, rows, Packed.paddedRows(rows), columns, planes, 1f);
        }
    }

    /**
     * Packs (rows, columns) floats times {@code scale} as an operand.
     *
     * @param at index of its first int
     * @param paddedRows rows of the operand, see {@link Packed#index}
     */
    public static void pack(
            MemorySegment from, IntArray to, int at, int rows, int paddedRows, int columns, int planes, float scale) {
        IntStream.range(0, rows).parallel().forEach(row -> {
            for (int column = 0; column < columns; column += 2) {
                float x = from.getAtIndex(FLOAT, (long) row * columns + column) * scale;
                float y = from.getAtIndex(FLOAT, (long) row * columns + column + 1) * scale;
                int index = at + Packed.index(row, column, paddedRows, planes);
                int high = Packed.high(x, y);
                to.set(index, high);
                if (planes == 2) {
                    to.set(index + Packed.PLANE, Packed.low(x, y, high));
                }
            }
        });
    }
}
