package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Registers;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The end of a product whose sums several devices have parts of: {@code residual += gate * (part 0 + part 1 + ...)}, always in
 * this order.
 */
public final class SumOfParts {
    /** Columns of a thread. */
    private static final int FOUR = 4;

    private SumOfParts() {}

    /** The launch for (rows, columns). */
    public static WorkerGrid grid(int rows, int columns) {
        return Launch.elementwise(Math.multiplyExact(rows, columns / FOUR));
    }

    /**
     * Adds the parts up, times a gate, to the residual. Launch: {@link #grid}.
     *
     * @param layer (1): which layer's gate
     * @param batch see {@link Batch}: the rows that count are its passes times {@code tokens}
     * @param parts (count, rows, columns)
     * @param gate (passes, chunks columns), a layer having {@link LayerNorm#CHUNKS} chunks
     * @param residual (rows, columns)
     * @param count of parts
     * @param rows that there is room for
     * @param tokens rows of a pass
     * @param columns a multiple of 4
     * @param chunk the gate's in layer 0
     * @param chunks of a row of the gate's array
     */
    public static void addGated(
            KernelContext context,
            IntArray layer,
            IntArray batch,
            FloatArray parts,
            FloatArray gate,
            FloatArray residual,
            int count,
            int rows,
            int tokens,
            int columns,
            int chunk,
            int chunks) {
        int at = context.globalIdx * FOUR;
        int row = at / columns;
        if (row < batch.get(Batch.PASSES) * tokens) {
            int gateAt = (row / tokens * chunks + layer.get(0) * LayerNorm.CHUNKS + chunk) * columns + at % columns;
            float[] sums = Registers.floats(FOUR);
            float[] values = Registers.floats(FOUR);
            GlobalMemory.load4(parts, at, sums, 0);
            for (int part = 1; part < count; part++) {
                GlobalMemory.load4(parts, part * rows * columns + at, values, 0);
                for (int i = 0; i < FOUR; i++) {
                    Registers.set(sums, i, Registers.get(sums, i) + Registers.get(values, i));
                }
            }
            float[] gates = Registers.floats(FOUR);
            GlobalMemory.load4(gate, gateAt, gates, 0);
            GlobalMemory.load4(residual, at, values, 0);
            GlobalMemory.store4(
                    residual,
                    at,
                    Registers.get(values, 0) + Registers.get(gates, 0) * Registers.get(sums, 0),
                    Registers.get(values, 1) + Registers.get(gates, 1) * Registers.get(sums, 1),
                    Registers.get(values, 2) + Registers.get(gates, 2) * Registers.get(sums, 2),
                    Registers.get(values, 3) + Registers.get(gates, 3) * Registers.get(sums, 3));
        }
    }

    /** The float64 value of an element of the residual; that of layer 1, and of {@code passes} of those that there is room for. */
    public static double reference(
            FloatArray parts,
            FloatArray gate,
            FloatArray before,
            int count,
            int passes,
            int rows,
            int tokens,
            int columns,
            int chunk,
            int chunks,
            int at) {
        int pass = at / columns / tokens;
        if (pass >= passes) {
            return before.get(at);
        }
        double sum = 0;
        for (int part = 0; part < count; part++) {
            sum += parts.get(part * rows * columns + at);
        }
        return before.get(at) + gate.get((pass * chunks + LayerNorm.CHUNKS + chunk) * columns + at % columns) * sum;
    }
}
