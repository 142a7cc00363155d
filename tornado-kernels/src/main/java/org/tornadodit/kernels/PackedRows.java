package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Packs a few rows of floats for a product on tensor cores: the conditioning, which other layers read as floats. */
public final class PackedRows {

    private PackedRows() {}

    /** The launch: a thread for two numbers. */
    public static WorkerGrid grid(int rows, int columns) {
        return Launch.elementwise(rows * columns / 2);
    }

    /**
     * Packs.
     *
     * @param x (N, columns)
     * @param out operand (see {@link Packed}) of (most, columns)
     * @param layer (1): the layer that overflow is reported for
     * @param batch see {@link Batch}, for the number of rows N
     * @param overflow (layers, {@link Overflow#KINDS})
     * @param most rows that there is room for
     * @param columns a multiple of 16
     * @param planes 1 or 2
     * @param kind of {@link Overflow}
     */
    public static void pack(
            KernelContext context,
            FloatArray x,
            IntArray out,
            IntArray layer,
            IntArray batch,
            IntArray overflow,
            @AtLaunch int most,
            int columns,
            int planes,
            int kind) {
        int i = context.globalIdx * 2;
        if (i < batch.get(Batch.PASSES) * columns) {
            int row = i / columns;
            int column = i % columns;
            float first = x.get(i);
            float second = x.get(i + 1);
            int padded = (most + Packed.ROWS - 1) / Packed.ROWS * Packed.ROWS;
            Packed.store(out, Packed.index(row, column, padded, planes), Packed.PLANE, first, second, planes);
            Overflow.report(overflow, layer.get(0), kind, Packed.largest(0f, first, second));
        }
    }
}
