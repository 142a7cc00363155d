package org.tornadodit.model.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.tornadodit.model.Tensor;

/**
 * The right side of products, (depth, columns), packed for {@link TileKernel}: panels of {@link TileKernel#COLUMNS}
 * columns, the depth outermost within a panel, the last panel filled up with zeros. A buffer that is packed anew for
 * each use, or kept.
 */
final class PackedMatrix {

    private float[] data = {};
    private int depth;
    private int columns;

    /** Takes on a size; what was packed is lost. */
    void resize(int newDepth, int newColumns) {
        depth = newDepth;
        columns = newColumns;
        long size = (long) panels() * depth * TileKernel.COLUMNS;
        if (size > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "a matrix of %d x %d does not fit into an array when packed".formatted(newDepth, newColumns));
        }
        if (data.length < size) {
            data = new float[0]; // not both at a time
            data = new float[(int) size];
        }
    }

    /** Bytes of a matrix of some size. */
    static long bytes(long depth, long columns) {
        return Float.BYTES * depth * TileKernel.COLUMNS * Math.ceilDiv(columns, TileKernel.COLUMNS);
    }

    /** Length of a sum. */
    int depth() {
        return depth;
    }

    /** Number of columns. */
    int columns() {
        return columns;
    }

    /** Number of panels. */
    int panels() {
        return Math.ceilDiv(columns, TileKernel.COLUMNS);
    }

    /** Columns of a panel that are not filling. */
    int columnsIn(int panel) {
        return Math.min(TileKernel.COLUMNS, columns - panel * TileKernel.COLUMNS);
    }

    /** The buffer. */
    float[] data() {
        return data;
    }

    /** Where row {@code i} of a panel begins in {@link #data}. */
    int index(int panel, int i) {
        return (panel * depth + i) * TileKernel.COLUMNS;
    }

    /**
     * Packs one panel of W^T for weights W (columns, channels, taps): PyTorch's layout of a convolution, of a linear
     * layer where {@code taps} is 1. Row {@code tap * channels + channel} of the right side is W[.][channel][tap].
     *
     * @param row scratch, grown as needed
     * @return the scratch, for the next call
     */
    float[] packWeight(int panel, MemorySegment weight, int taps, float[] row) {
        float[] values = row.length < depth ? new float[depth] : row;
        int channels = depth / taps;
        int width = columnsIn(panel);
        for (int c = 0; c < width; c++) {
            long from = ((long) panel * TileKernel.COLUMNS + c) * depth * Float.BYTES;
            MemorySegment.copy(weight, Tensor.FLOAT, from, values, 0, depth);
            int to = index(panel, 0) + c;
            for (int tap = 0; tap < taps; tap++) {
                for (int channel = 0; channel < channels; channel++) {
                    data[to] = values[channel * taps + tap];
                    to += TileKernel.COLUMNS;
                }
            }
        }
        fill(panel, width);
        return values;
    }

    /** Packs one panel of B^T, where B (columns, depth) has its row c at {@code rows[offset + c * stride]}. */
    void packTransposed(int panel, float[] rows, int offset, int stride) {
        int width = columnsIn(panel);
        for (int c = 0; c < width; c++) {
            int from = offset + (panel * TileKernel.COLUMNS + c) * stride;
            int to = index(panel, 0) + c;
            for (int i = 0; i < depth; i++) {
                data[to] = rows[from + i];
                to += TileKernel.COLUMNS;
            }
        }
        fill(panel, width);
    }

    /** Packs one panel of B (depth, columns), which has its row i at {@code rows[offset + i * stride]}. */
    void packRows(int panel, float[] rows, int offset, int stride) {
        int width = columnsIn(panel);
        for (int i = 0; i < depth; i++) {
            int from = offset + i * stride + panel * TileKernel.COLUMNS;
            System.arraycopy(rows, from, data, index(panel, i), width);
        }
        fill(panel, width);
    }

    private void fill(int panel, int width) {
        if (width == TileKernel.COLUMNS) {
            return;
        }
        for (int i = 0; i < depth; i++) {
            int at = index(panel, i);
            Arrays.fill(data, at + width, at + TileKernel.COLUMNS, 0f);
        }
    }
}
