package org.tornadodit.model.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.tornadodit.model.cpu.MatrixProduct.Left;
import org.tornadodit.model.cpu.MatrixProduct.Output;

/**
 * softmax(Q K^T / sqrt(headSize)) V for each image and head. Memory for a worker: K and V of one head, and the scores of
 * {@value #QUERIES} queries, so never the (T, T) matrix.
 */
final class Attention {

    private static final VectorSpecies<Float> SPECIES = TileKernel.SPECIES;
    private static final int LANES = TileKernel.LANES;

    /** Queries that share a pass over the keys. */
    private static final int QUERIES = 16 * TileKernel.ROWS;

    private final Workers workers;
    private final MatrixProduct product;
    private final Scratch[] scratch;

    private static final class Scratch {
        final PackedMatrix keys = new PackedMatrix();
        final PackedMatrix values = new PackedMatrix();
        final float[] lanes = new float[LANES];
        float[] scores = {};

        float[] scores(int size) {
            if (scores.length < size) {
                scores = new float[0]; // not both at a time
                scores = new float[size];
            }
            return scores;
        }
    }

    Attention(Workers workers, MatrixProduct product) {
        this.workers = workers;
        this.product = product;
        this.scratch = new Scratch[workers.threads()];
        for (int i = 0; i < scratch.length; i++) {
            scratch[i] = new Scratch();
        }
    }

    /** Heap of all workers. */
    static long heapBytes(int threads, long tokens, long headSize) {
        return threads
                * (PackedMatrix.bytes(headSize, tokens)
                        + PackedMatrix.bytes(tokens, headSize)
                        + Float.BYTES * Math.min(QUERIES, tokens) * tokens);
    }

    /**
     * Queries, keys and values as they lie side by side in an array: those of head h of token t begin at
     * {@code query + t * stride + h * headSize}, {@code key + ...}, {@code value + ...}.
     */
    record Heads(float[] data, int query, int key, int value, int stride, int headSize) {}

    /**
     * Attention within each image.
     *
     * @param in (N * T) rows
     * @param out (N, T, heads * headSize)
     */
    void apply(Heads in, float[] out, int batch, int tokens, int heads) {
        int size = in.headSize();
        // With fewer heads than threads can share, the queries of a head are shared out too.
        int groups = Math.min(Math.ceilDiv(tokens, QUERIES), Math.ceilDiv(2 * workers.threads(), batch * heads));
        workers.forEach(batch * heads * groups, (task, worker) -> {
            int group = task % groups;
            int head = task / groups % heads;
            int image = task / groups / heads;
            int row = image * tokens * in.stride() + head * size;
            Scratch own = scratch[worker];
            pack(in, row, tokens, own);
            int last = (int) ((long) tokens * (group + 1) / groups);
            for (int query = (int) ((long) tokens * group / groups); query < last; query += QUERIES) {
                int count = Math.min(QUERIES, last - query);
                int to = (image * tokens + query) * heads * size + head * size;
                attend(in, row + query * in.stride(), count, tokens, own, new Output(out, to, heads * size));
            }
        });
    }

    private static void pack(Heads in, int row, int tokens, Scratch own) {
        own.keys.resize(in.headSize(), tokens);
        for (int panel = 0; panel < own.keys.panels(); panel++) {
            own.keys.packTransposed(panel, in.data(), in.key() + row, in.stride());
        }
        own.values.resize(tokens, in.headSize());
        for (int panel = 0; panel < own.values.panels(); panel++) {
            own.values.packRows(panel, in.data(), in.value() + row, in.stride());
        }
    }

    private void attend(Heads in, int row, int count, int tokens, Scratch own, Output out) {
        float[] scores = own.scores(count * tokens); // (count, T)
        product.multiply(
                Left.matrix(in.data(), in.query() + row, in.stride()), count, own.keys, new Output(scores, 0, tokens));
        float scale = (float) (1 / Math.sqrt(in.headSize()));
        for (int i = 0; i < count; i++) {
            softmax(scores, i * tokens, tokens, scale, own.lanes);
        }
        product.multiply(Left.matrix(scores, 0, tokens), count, own.values, out);
    }

    /** {@code values = softmax(scale * values)} over {@code count} values from {@code at}. */
    static void softmax(float[] values, int at, int count, float scale, float[] lanes) {
        int whole = SPECIES.loopBound(count);
        VectorMask<Float> rest = SPECIES.indexInRange(whole, count);
        FloatVector largest = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < whole; i += LANES) {
            largest = largest.max(FloatVector.fromArray(SPECIES, values, at + i));
        }
        float max = largest.reduceLanes(VectorOperators.MAX);
        for (int i = whole; i < count; i++) {
            max = Math.max(max, values[at + i]);
        }
        FloatVector sum = FloatVector.zero(SPECIES);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector e = VectorMath.exp(
                    FloatVector.fromArray(SPECIES, values, at + i).sub(max).mul(scale));
            e.intoArray(values, at + i);
            sum = sum.add(e);
        }
        if (whole < count) {
            FloatVector e = VectorMath.exp(FloatVector.fromArray(SPECIES, values, at + whole, rest)
                    .sub(max)
                    .mul(scale));
            e.intoArray(values, at + whole, rest);
            sum = sum.add(e, rest);
        }
        FloatVector inverse = FloatVector.broadcast(SPECIES, (float) (1 / VectorMath.sumInOrder(sum, lanes)));
        for (int i = 0; i < whole; i += LANES) {
            FloatVector.fromArray(SPECIES, values, at + i).mul(inverse).intoArray(values, at + i);
        }
        FloatVector.fromArray(SPECIES, values, at + whole, rest).mul(inverse).intoArray(values, at + whole, rest);
    }
}
