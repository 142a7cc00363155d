package org.tornadodit.kernels;

import java.util.function.IntToDoubleFunction;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid3D;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Multi-head self-attention in FP32 without a tokens x tokens array: softmax(q k^T / sqrt(hd)) v with the softmax
 * carried along the keys (M. Milakov and N. Gimelshein, Online normalizer calculation for softmax, 2018; T. Dao et al.,
 * FlashAttention, 2022).
 *
 * <p>A work group of 64 threads serves 32 queries of one head, 32 keys at a time: it loads the keys, makes the scores and
 * from them the weights, and loads the values in the keys' place. A thread has four queries throughout, and of each tile
 * four keys, then four columns of every 32: 16 sums at a time, spelled out as variables for the registers (see {@link
 * Linear}). What it has of the output waits in a private array meanwhile, in memory, which once a tile can afford.
 */
public final class Attention {
    /** The largest head size: local memory of 48 KB holds queries and keys of so many columns. */
    public static final int MAX_HEAD_SIZE = 128;
    /** What head sizes are multiples of. */
    public static final int HEAD_SIZE_STEP = 4;

    /** Queries, and keys, of a tile. */
    private static final int TILE = 32;

    private static final int THREADS = 64;
    /** Threads that share a query, each with four keys of a tile. */
    private static final int SHARERS = 8;
    /** Floats between rows of a tile in local memory; 4 more than the tile keep the transposing writes apart. */
    private static final int STRIDE = TILE + 4;
    /** Of the output: four queries by four columns of every {@link #TILE}. */
    private static final int OUTPUTS = 4 * MAX_HEAD_SIZE / SHARERS;

    private static final float LOWEST = -1e30f;

    private Attention() {}

    /** The launch. */
    public static WorkerGrid grid(AttentionShape shape) {
        int tiles = Launch.ceilDiv(shape.queries(), TILE);
        WorkerGrid grid = new WorkerGrid3D(tiles * THREADS, shape.heads(), shape.samples());
        grid.setLocalWork(THREADS, 1, 1);
        return grid;
    }

    /** Attention of every sample and head: {@link AttentionArguments} says what its arguments are, and makes the task. */
    public static void attention(
            KernelContext context,
            IntArray layer,
            IntArray batch,
            FloatArray qkv,
            FloatArray out,
            int most,
            int tokens,
            int heads,
            int headSize,
            int queriesFrom,
            int queries) {
        int valueStride = headSize + 4;
        // (hd, queries), (hd, keys) and then (keys, hd), (keys, queries), and a number of each thread for its queries.
        float[] q = context.allocateFloatLocalArray(headSize * STRIDE);
        float[] kv = context.allocateFloatLocalArray(headSize > TILE ? headSize * STRIDE : TILE * valueStride);
        float[] p = context.allocateFloatLocalArray(TILE * STRIDE);
        float[] shared = context.allocateFloatLocalArray(TILE * SHARERS);
        if (context.groupIdz < batch.get(Batch.PASSES)) {
            int thread = context.localIdx;
            int sharer = thread % SHARERS;
            int loader = thread / SHARERS;
            int row = loader * 4;
            int hidden = heads * headSize;
            int firstQuery = context.groupIdx * TILE;
            boolean kept = queriesFrom < 0;
            int pass = context.groupIdz + (kept ? layer.get(0) * most : 0);
            int head = pass * tokens * (3 * hidden) + context.groupIdy * headSize;
            int asked = kept ? batch.get(Batch.PATCH) * queries : queriesFrom;
            float scale = 1f / TornadoMath.sqrt((float) headSize);
            // Inner loops of four rounds, which TornadoVM unrolls: four loads at a time.
            for (int d = sharer; d < headSize; d += SHARERS) {
                for (int i = 0; i < TILE; i += SHARERS) {
                    int query = asked + Math.min(firstQuery + loader + i, queries - 1);
                    int from = head + query * (3 * hidden);
                    q[d * STRIDE + loader + i] = scale * qkv.get(from + d);
                }
            }
            float[] o = new float[OUTPUTS];
            for (int i = 0; i < OUTPUTS; i++) {
                o[i] = 0f;
            }
            float highest0 = LOWEST;
            float highest1 = LOWEST;
            float highest2 = LOWEST;
            float highest3 = LOWEST;
            float sum0 = 0f;
            float sum1 = 0f;
            float sum2 = 0f;
            float sum3 = 0f;
            for (int firstKey = 0; firstKey < tokens; firstKey += TILE) {
                context.localBarrier();
                for (int d = sharer; d < headSize; d += SHARERS) {
                    for (int i = 0; i < TILE; i += SHARERS) {
                        int from = head + hidden + Math.min(firstKey + loader + i, tokens - 1) * (3 * hidden);
                        kv[d * STRIDE + loader + i] = qkv.get(from + d);
                    }
                }
                context.localBarrier();

                float s00 = 0f, s01 = 0f, s02 = 0f, s03 = 0f;
                float s10 = 0f, s11 = 0f, s12 = 0f, s13 = 0f;
                float s20 = 0f, s21 = 0f, s22 = 0f, s23 = 0f;
                float s30 = 0f, s31 = 0f, s32 = 0f, s33 = 0f;
                for (int four = 0; four < headSize; four += 4) {
                    for (int unrolled = 0; unrolled < 4; unrolled++) {
                        int a = (four + unrolled) * STRIDE + row;
                        int b = (four + unrolled) * STRIDE + sharer * 4;
                        float a0 = q[a], a1 = q[a + 1], a2 = q[a + 2], a3 = q[a + 3];
                        float b0 = kv[b], b1 = kv[b + 1], b2 = kv[b + 2], b3 = kv[b + 3];
                        // spotless:off
                        s00 += a0 * b0; s01 += a0 * b1; s02 += a0 * b2; s03 += a0 * b3;
                        s10 += a1 * b0; s11 += a1 * b1; s12 += a1 * b2; s13 += a1 * b3;
                        s20 += a2 * b0; s21 += a2 * b1; s22 += a2 * b2; s23 += a2 * b3;
                        s30 += a3 * b0; s31 += a3 * b1; s32 += a3 * b2; s33 += a3 * b3;
                        // spotless:on
                    }
                }
                if (tokens % TILE != 0) {
                    int key = firstKey + sharer * 4;
                    // spotless:off
                    if (key >= tokens) { s00 = LOWEST; s10 = LOWEST; s20 = LOWEST; s30 = LOWEST; }
                    if (key + 1 >= tokens) { s01 = LOWEST; s11 = LOWEST; s21 = LOWEST; s31 = LOWEST; }
                    if (key + 2 >= tokens) { s02 = LOWEST; s12 = LOWEST; s22 = LOWEST; s32 = LOWEST; }
                    if (key + 3 >= tokens) { s03 = LOWEST; s13 = LOWEST; s23 = LOWEST; s33 = LOWEST; }
                    // spotless:on
                }

                int mine = row * SHARERS + sharer;
                shared[mine] = max4(s00, s01, s02, s03);
                shared[mine + SHARERS] = max4(s10, s11, s12, s13);
                shared[mine + 2 * SHARERS] = max4(s20, s21, s22, s23);
                shared[mine + 3 * SHARERS] = max4(s30, s31, s32, s33);
                context.localBarrier();
                float m0 = highest0;
                float m1 = highest1;
                float m2 = highest2;
                float m3 = highest3;
                for (int i = row * SHARERS; i < (row + 1) * SHARERS; i++) {
                    m0 = TornadoMath.max(m0, shared[i]);
                    m1 = TornadoMath.max(m1, shared[i + SHARERS]);
                    m2 = TornadoMath.max(m2, shared[i + 2 * SHARERS]);
                    m3 = TornadoMath.max(m3, shared[i + 3 * SHARERS]);
                }
                float rescale0 = TornadoMath.exp(highest0 - m0);
                float rescale1 = TornadoMath.exp(highest1 - m1);
                float rescale2 = TornadoMath.exp(highest2 - m2);
                float rescale3 = TornadoMath.exp(highest3 - m3);
                highest0 = m0;
                highest1 = m1;
                highest2 = m2;
                highest3 = m3;
                // spotless:off
                s00 = TornadoMath.exp(s00 - m0); s01 = TornadoMath.exp(s01 - m0);
                s02 = TornadoMath.exp(s02 - m0); s03 = TornadoMath.exp(s03 - m0);
                s10 = TornadoMath.exp(s10 - m1); s11 = TornadoMath.exp(s11 - m1);
                s12 = TornadoMath.exp(s12 - m1); s13 = TornadoMath.exp(s13 - m1);
                s20 = TornadoMath.exp(s20 - m2); s21 = TornadoMath.exp(s21 - m2);
                s22 = TornadoMath.exp(s22 - m2); s23 = TornadoMath.exp(s23 - m2);
                s30 = TornadoMath.exp(s30 - m3); s31 = TornadoMath.exp(s31 - m3);
                s32 = TornadoMath.exp(s32 - m3); s33 = TornadoMath.exp(s33 - m3);
                int to = sharer * 4 * STRIDE + row;
                p[to] = s00; p[to + 1] = s10; p[to + 2] = s20; p[to + 3] = s30;
                to += STRIDE;
                p[to] = s01; p[to + 1] = s11; p[to + 2] = s21; p[to + 3] = s31;
                to += STRIDE;
                p[to] = s02; p[to + 1] = s12; p[to + 2] = s22; p[to + 3] = s32;
                to += STRIDE;
                p[to] = s03; p[to + 1] = s13; p[to + 2] = s23; p[to + 3] = s33;
                // spotless:on
                sum0 = sum0 * rescale0 + ((s00 + s01) + (s02 + s03));
                sum1 = sum1 * rescale1 + ((s10 + s11) + (s12 + s13));
                sum2 = sum2 * rescale2 + ((s20 + s21) + (s22 + s23));
                sum3 = sum3 * rescale3 + ((s30 + s31) + (s32 + s33));
                for (int d = sharer; d < headSize; d += SHARERS) {
                    for (int i = 0; i < TILE; i += SHARERS) {
                        int from = head + 2 * hidden + Math.min(firstKey + loader + i, tokens - 1) * (3 * hidden);
                        kv[(loader + i) * valueStride + d] = qkv.get(from + d);
                    }
                }
                context.localBarrier();

                for (int column = sharer * 4; column < headSize; column += TILE) {
                    float o00 = 0f, o01 = 0f, o02 = 0f, o03 = 0f;
                    float o10 = 0f, o11 = 0f, o12 = 0f, o13 = 0f;
                    float o20 = 0f, o21 = 0f, o22 = 0f, o23 = 0f;
                    float o30 = 0f, o31 = 0f, o32 = 0f, o33 = 0f;
                    for (int four = 0; four < TILE; four += 4) {
                        for (int unrolled = 0; unrolled < 4; unrolled++) {
                            int a = (four + unrolled) * STRIDE + row;
                            int b = (four + unrolled) * valueStride + column;
                            float a0 = p[a], a1 = p[a + 1], a2 = p[a + 2], a3 = p[a + 3];
                            float b0 = kv[b], b1 = kv[b + 1], b2 = kv[b + 2], b3 = kv[b + 3];
                            // spotless:off
                            o00 += a0 * b0; o01 += a0 * b1; o02 += a0 * b2; o03 += a0 * b3;
                            o10 += a1 * b0; o11 += a1 * b1; o12 += a1 * b2; o13 += a1 * b3;
                            o20 += a2 * b0; o21 += a2 * b1; o22 += a2 * b2; o23 += a2 * b3;
                            o30 += a3 * b0; o31 += a3 * b1; o32 += a3 * b2; o33 += a3 * b3;
                            // spotless:on
                        }
                    }
                    int at = column / TILE * 16;
                    // spotless:off
                    o[at] = o[at] * rescale0 + o00; o[at + 1] = o[at + 1] * rescale0 + o01;
                    o[at + 2] = o[at + 2] * rescale0 + o02; o[at + 3] = o[at + 3] * rescale0 + o03;
                    o[at + 4] = o[at + 4] * rescale1 + o10; o[at + 5] = o[at + 5] * rescale1 + o11;
                    o[at + 6] = o[at + 6] * rescale1 + o12; o[at + 7] = o[at + 7] * rescale1 + o13;
                    o[at + 8] = o[at + 8] * rescale2 + o20; o[at + 9] = o[at + 9] * rescale2 + o21;
                    o[at + 10] = o[at + 10] * rescale2 + o22; o[at + 11] = o[at + 11] * rescale2 + o23;
                    o[at + 12] = o[at + 12] * rescale3 + o30; o[at + 13] = o[at + 13] * rescale3 + o31;
                    o[at + 14] = o[at + 14] * rescale3 + o32; o[at + 15] = o[at + 15] * rescale3 + o33;
                    // spotless:on
                }
            }

            // Each thread of a query has summed its own keys.
            int mine = row * SHARERS + sharer;
            shared[mine] = sum0;
            shared[mine + SHARERS] = sum1;
            shared[mine + 2 * SHARERS] = sum2;
            shared[mine + 3 * SHARERS] = sum3;
            context.localBarrier();
            for (int i = 0; i < 4; i++) {
                int query = firstQuery + row + i;
                if (query < queries) {
                    float sum = 0f;
                    for (int j = 0; j < SHARERS; j++) {
                        sum += shared[(row + i) * SHARERS + j];
                    }
                    int to = (context.groupIdz * queries + query) * hidden + context.groupIdy * headSize;
                    for (int column = sharer * 4; column < headSize; column += TILE) {
                        for (int j = 0; j < 4; j++) {
                            out.set(to + column + j, o[column / TILE * 16 + i * 4 + j] / sum);
                        }
                    }
                }
            }
        }
    }

    private static float max4(float a, float b, float c, float d) {
        return TornadoMath.max(TornadoMath.max(a, b), TornadoMath.max(c, d));
    }

    /**
     * The float64 values of out (N, T, heads * headSize), counted along its rows; one thread's, which remembers a query's
     * weights for the next element.
     */
    public static IntToDoubleFunction reference(FloatArray qkv, int tokens, int heads, int headSize) {
        int hidden = heads * headSize;
        double[] weights = new double[tokens];
        int[] known = {-1};
        return index -> {
            int query = index / headSize;
            int row = index / hidden;
            int head = query % heads;
            int base = row / tokens * tokens * 3 * hidden + head * headSize;
            if (query != known[0]) {
                weights(qkv, base, row % tokens, tokens, hidden, headSize, weights);
                known[0] = query;
            }
            double weighted = 0;
            for (int key = 0; key < tokens; key++) {
                weighted += weights[key] * qkv.get(base + (key * 3 + 2) * hidden + index % headSize);
            }
            return weighted;
        };
    }

    /** Likewise, of out (N, Q, heads * headSize). */
    public static IntToDoubleFunction reference(FloatArray qkv, AttentionShape shape) {
        IntToDoubleFunction all = reference(qkv, shape.tokens(), shape.heads(), shape.headSize());
        return index -> all.applyAsDouble(shape.indexAmongAll(index));
    }

    /** The softmax of a query's scores. */
    private static void weights(
            FloatArray qkv, int base, int token, int tokens, int hidden, int headSize, double[] weights) {
        double highest = Double.NEGATIVE_INFINITY;
        for (int key = 0; key < tokens; key++) {
            double dot = 0;
            for (int i = 0; i < headSize; i++) {
                dot += (double) qkv.get(base + token * 3 * hidden + i) * qkv.get(base + (key * 3 + 1) * hidden + i);
            }
            weights[key] = dot / Math.sqrt(headSize);
            highest = Math.max(highest, weights[key]);
        }
        double sum = 0;
        for (int key = 0; key < tokens; key++) {
            weights[key] = Math.exp(weights[key] - highest);
            sum += weights[key];
        }
        for (int key = 0; key < tokens; key++) {
            weights[key] /= sum;
        }
    }
}
