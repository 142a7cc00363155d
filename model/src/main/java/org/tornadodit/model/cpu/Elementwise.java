package org.tornadodit.model.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** Passes over rows of an array, shared out among threads. */
final class Elementwise {

    private static final VectorSpecies<Float> SPECIES = TileKernel.SPECIES;
    private static final int LANES = TileKernel.LANES;
    private static final int CHUNK = 8192;
    private static final int ROWS = 16;
    private static final double LAYER_NORM_EPS = 1e-6;

    private final Workers workers;
    /** For each worker a vector's lanes. */
    private final float[][] lanes;

    private volatile boolean overflowed;

    Elementwise(Workers workers) {
        this.workers = workers;
        this.lanes = new float[workers.threads()][LANES];
    }

    /**
     * Whether the variance of a row was too large for float32 since the last call. LayerNorm makes zeros of such a row,
     * which look as if all were well.
     */
    boolean takeOverflow() {
        boolean taken = overflowed;
        overflowed = false;
        return taken;
    }

    /** {@code values[i] = gelu(values[i])} for the first {@code count}. */
    void gelu(float[] values, int count) {
        workers.forEach(Math.ceilDiv(count, CHUNK), (task, worker) -> {
            int end = Math.min(count, (task + 1) * CHUNK);
            int i = task * CHUNK;
            for (; i <= end - LANES; i += LANES) {
                VectorMath.gelu(FloatVector.fromArray(SPECIES, values, i)).intoArray(values, i);
            }
            if (i < end) {
                VectorMask<Float> rest = SPECIES.indexInRange(i, end);
                VectorMath.gelu(FloatVector.fromArray(SPECIES, values, i, rest)).intoArray(values, i, rest);
            }
        });
    }

    /** {@code out[i] = silu(values[i])} for the first {@code count}; the arrays may be the same. */
    void silu(float[] values, float[] out, int count) {
        workers.forEach(Math.ceilDiv(count, CHUNK), (task, worker) -> {
            int end = Math.min(count, (task + 1) * CHUNK);
            int i = task * CHUNK;
            for (; i <= end - LANES; i += LANES) {
                VectorMath.silu(FloatVector.fromArray(SPECIES, values, i)).intoArray(out, i);
            }
            if (i < end) {
                VectorMask<Float> rest = SPECIES.indexInRange(i, end);
                VectorMath.silu(FloatVector.fromArray(SPECIES, values, i, rest)).intoArray(out, i, rest);
            }
        });
    }

    /** {@code x[i] += y[i]} for the first {@code count}. */
    void add(float[] x, float[] y, int count) {
        workers.forEach(Math.ceilDiv(count, CHUNK), (task, worker) -> {
            int end = Math.min(count, (task + 1) * CHUNK);
            for (int i = task * CHUNK; i < end; i++) {
                x[i] += y[i];
            }
        });
    }

    /**
     * {@code x[n][t] += gate[n] * y[n][t]}, the gated residual of adaLN-Zero.
     *
     * @param x (N, T, D)
     * @param y (N, T, D)
     * @param gate row n begins at {@code gate[offset + n * stride]}
     */
    void addGated(float[] x, float[] y, float[] gate, int offset, int stride, int batch, int tokens, int width) {
        workers.forEachInGroups(batch * tokens, ROWS, (row, worker) -> {
            int g = offset + row / tokens * stride;
            int at = row * width;
            for (int i = 0; i < width; i++) {
                x[at + i] = Math.fma(gate[g + i], y[at + i], x[at + i]);
            }
        });
    }

    /**
     * LayerNorm without parameters, then {@code * (1 + scale) + shift}: what a block of DiT feeds its attention and MLP.
     *
     * @param x (N, T, D)
     * @param modulation image n's shift begins at {@code modulation[shift + n * stride]}, its scale likewise
     * @param out (N, T, D)
     */
    void normModulate(float[] x, Modulation modulation, float[] out, int batch, int tokens, int width) {
        workers.forEachInGroups(batch * tokens, ROWS, (row, worker) -> {
            int n = row / tokens * modulation.stride();
            normRow(
                    x,
                    row * width,
                    width,
                    modulation.values(),
                    modulation.shift() + n,
                    modulation.scale() + n,
                    out,
                    lanes[worker]);
        });
    }

    /** Where the shifts and scales of a batch lie: image n's at {@code shift + n * stride}, {@code scale + n * stride}. */
    record Modulation(float[] values, int shift, int scale, int stride) {}

    private void normRow(
            float[] x, int at, int width, float[] values, int shift, int scale, float[] out, float[] lanes) {
        FloatVector sum = FloatVector.zero(SPECIES);
        int whole = SPECIES.loopBound(width);
        VectorMask<Float> rest = SPECIES.indexInRange(whole, width);
        for (int i = 0; i < whole; i += LANES) {
            sum = sum.add(FloatVector.fromArray(SPECIES, x, at + i));
        }
        sum = sum.add(FloatVector.fromArray(SPECIES, x, at + whole, rest));
        float mean = (float) (VectorMath.sumInOrder(sum, lanes) / width);
        FloatVector squares = FloatVector.zero(SPECIES);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector centred = FloatVector.fromArray(SPECIES, x, at + i).sub(mean);
            squares = centred.fma(centred, squares);
        }
        FloatVector last = FloatVector.fromArray(SPECIES, x, at + whole, rest).sub(mean);
        squares = squares.add(last.mul(last), rest);
        float inverse = (float) (1 / Math.sqrt(VectorMath.sumInOrder(squares, lanes) / width + LAYER_NORM_EPS));
        if (!(inverse > 0)) {
            overflowed = true;
        }
        for (int i = 0; i < whole; i += LANES) {
            FloatVector normed =
                    FloatVector.fromArray(SPECIES, x, at + i).sub(mean).mul(inverse);
            FloatVector factor =
                    FloatVector.fromArray(SPECIES, values, scale + i).add(1f);
            normed.fma(factor, FloatVector.fromArray(SPECIES, values, shift + i))
                    .intoArray(out, at + i);
        }
        FloatVector factor =
                FloatVector.fromArray(SPECIES, values, scale + whole, rest).add(1f);
        last.mul(inverse)
                .fma(factor, FloatVector.fromArray(SPECIES, values, shift + whole, rest))
                .intoArray(out, at + whole, rest);
    }
}
