package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Mma;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import org.tornadodit.kernels.ptx.Warp;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Multi-head self-attention on tensor cores (sm_80 and later), softmax(q k^T / sqrt(hd)) v with the softmax carried along
 * the keys in registers (T. Dao, FlashAttention-2, 2023). Operands are halves as {@link Packed} lays them out: one plane
 * for one product of FP16-rounded numbers, two for FP32's accuracy in three products.
 *
 * <p>A warp serves 16 or 32 queries of a head. Tiles of keys and values come through shared memory as they lie in global
 * memory, whole 8x8 matrices, so that every access of a matrix is one of 128 contiguous bytes. The tensor core truncates
 * as it adds up: only the sums of one tile are left to it, and a tile's {@code P V} joins the output by an FMA that also
 * rescales it.
 */
public final class TensorAttention {
    /** Lanes of a warp. */
    private static final int LANES = 32;
    /** Bytes of an 8x8 matrix of halves. */
    private static final int MATRIX = 128;

    /** Largest head size. */
    public static final int MAX_HEAD_SIZE = 128;
    /** Bytes that a block of Hopper can have. */
    private static final int MAX_SHARED = 227 * 1024;

    private static final float LOWEST = -1e30f;
    private static final float UNSCALE_LOW = 1f / Packed.LOW;
    private static final double LOG2_E = 1.4426950408889634;

    private TensorAttention() {}

    /**
     * How the work is cut: constants of the compiled kernel.
     *
     * @param queryTiles 16 queries each, of a warp
     * @param warps of a block
     * @param keys of a tile, a multiple of 16
     * @param stages tiles in shared memory at a time, at least 2
     * @param held planes of the queries that stay in registers, 0 to planes; the others are read again from shared memory
     * @param span keys whose scores are made at a time, a multiple of 16 that divides {@code keys}
     * @param blocks resident blocks of a multiprocessor that registers are limited for
     */
    public record Tiling(int queryTiles, int warps, int keys, int stages, int held, int span, int blocks) {

        /**
         * The one that measured best on an H200.
         *
         * @throws IllegalArgumentException for a head size that is no multiple of 8 up to 128, or not 1 or 2 planes
         */
        public static Tiling of(int headSize, int planes) {
            if (headSize <= 0 || headSize % 8 != 0 || headSize > MAX_HEAD_SIZE) {
                throw new IllegalArgumentException(
                        "head size " + headSize + ": tensor attention needs a multiple of 8 up to " + MAX_HEAD_SIZE);
            }
            if (planes != 1 && planes != 2) {
                throw new IllegalArgumentException(planes + " planes: a number is one half or two");
            }
            if (headSize > 80) {
                return new Tiling(1, 8, 32, 2, planes == 1 ? 1 : 0, 32, 1);
            }
            return planes == 1 ? new Tiling(2, 4, 32, 3, 1, 32, 2) : new Tiling(2, 4, 32, 2, 0, 32, 2);
        }

        /** Queries of a block. */
        public int queries() {
            return 16 * queryTiles * warps;
        }

        /** Threads of a block. */
        public int threads() {
            return LANES * warps;
        }
    }

    /**
     * The launch.
     *
     * @param tokens a multiple of 8
     */
    public static WorkerGrid grid(int samples, int tokens, int heads, int headSize, int planes, Tiling tiling) {
        if (tokens <= 0 || tokens % 8 != 0) {
            throw new IllegalArgumentException(tokens + " tokens: tensor attention needs a multiple of 8");
        }
        if (heads * headSize % 16 != 0) {
            throw new IllegalArgumentException(heads + " heads of " + headSize + ": not a multiple of 16 columns");
        }
        int queryBytes = tiling.held < planes ? tiling.queries() * headSize * 2 * planes : 0;
        int bytes = tiling.stages * 2 * tiling.keys * headSize * 2 * planes + queryBytes;
        if (bytes > MAX_SHARED) {
            throw new IllegalArgumentException(tiling + " needs " + bytes + " bytes of shared memory");
        }
        int blocks = Math.multiplyExact(samples * heads, Launch.ceilDiv(tokens, tiling.queries()));
        return Launch.groups(blocks, tiling.threads());
    }

    /**
     * Attention of every sample and head.
     *
     * @param qkv heads (see {@link Packed}) of q, k, v, not scaled
     * @param out operand (see {@link Packed}) of (N * T, H * hd)
     * @param layer one element, the number of the layer
     * @param overflow (layers, kinds): [layer, kind] becomes 1 when a value does not fit a half
     * @param samples N
     * @param tokens T, a multiple of 8
     * @param heads H, with H * hd a multiple of 16
     * @param headSize hd, a multiple of 8, at most 128
     * @param planes 1 or 2
     * @param queryTiles this and what follows: see {@link Tiling}
     */
    public static void attention(
            KernelContext context,
            IntArray qkv,
            IntArray out,
            IntArray layer,
            IntArray overflow,
            int samples,
            int tokens,
            int heads,
            int headSize,
            int planes,
            int kind,
            int kinds,
            int queryTiles,
            int warps,
            int keys,
            int stages,
            int held,
            int span,
            int blocks) {
        int columns = headSize / 8;
        int steps = columns / 2;
        int groups = keys / 8;
        int groupBytes = columns * planes * MATRIX;
        int tileBytes = groups * groupBytes;
        int queries = 16 * queryTiles * warps;
        int threads = LANES * warps;
        SharedMemory.block(threads, blocks);
        int memory = SharedMemory.dynamic(stages * 2 * tileBytes + (held < planes ? queries / 8 * groupBytes : 0));

        int thread = context.localIdx;
        int lane = thread & 31;
        int warp = thread >> 5;
        int queryBlocks = (tokens + queries - 1) / queries;
        int head = context.groupIdx / queryBlocks;
        int firstGroup = (context.groupIdx - head * queryBlocks) * (queries / 8);
        int queryGroup = firstGroup + warp * (2 * queryTiles);
        // Ints of one head's queries, keys or values.
        int headInts = tokens * headSize / 2 * planes;
        int keysAt = (samples * heads + head) * headInts;
        int valuesAt = (2 * samples * heads + head) * headInts;
        // A lane's row among four matrices: along tokens then dimensions, and the other way round.
        int row = (lane & 7) * 16;
        int downThenAcross = row + ((lane >> 3) & 1) * groupBytes + (lane >> 4) * MATRIX;
        int acrossThenDown = row + (lane >> 4) * groupBytes + ((lane >> 3) & 1) * MATRIX;
        // Two matrices along tokens, in one plane and then the other: for the last column of an odd number.
        int downThenPlane = row + ((lane >> 3) & 1) * groupBytes + (lane >> 4) * (columns * MATRIX);
        int queryRow = memory + stages * 2 * tileBytes + warp * (2 * queryTiles) * groupBytes;

        int[] q = Registers.ints(held * queryTiles * (steps * 4 + columns % 2 * 2) + 1);
        if (held > 0) {
            loadQueries(q, qkv, head * headInts + lane, queryGroup, tokens, queryTiles, columns, planes, held);
        }
        int to = memory + thread * 16;
        if (held < planes) {
            int from = head * headInts + firstGroup * (groupBytes / 4) + thread * 4;
            int last = tokens % queries == 0 ? -1 : (head + 1) * headInts - 4;
            copy(to + stages * 2 * tileBytes, qkv, from, last, queries / 8 * groupBytes, thread, threads);
        }
        int lastKeys = tokens % keys == 0 ? -1 : keysAt + headInts - 4;
        int lastValues = tokens % keys == 0 ? -1 : valuesAt + headInts - 4;
        int tiles = Registers.opaque((tokens + keys - 1) / keys);
        for (int stage = 0; stage < stages - 1; stage++) {
            int at = to + stage * (2 * tileBytes);
            int from = thread * 4 + stage * (tileBytes / 4);
            if (stage * keys < tokens) {
                copy(at, qkv, keysAt + from, lastKeys, tileBytes, thread, threads);
                copy(at + tileBytes, qkv, valuesAt + from, lastValues, tileBytes, thread, threads);
            }
            SharedMemory.commitCopies();
        }

        // In float64: a relative error here is one of every exponent.
        float scale = (float) (LOG2_E / TornadoMath.sqrt((double) headSize));
        float[] highest = Registers.floats(2 * queryTiles);
        float[] sums = Registers.floats(2 * queryTiles);
        float[] factors = Registers.floats(2 * queryTiles);
        float[] o = Registers.floats(queryTiles * columns * 4);
        float[] scores = Registers.floats(queryTiles * groups * 4);
        int[] high = Registers.ints(queryTiles * groups * 2);
        int[] low = Registers.ints(planes == 2 ? queryTiles * groups * 2 : 1);
        for (int i = 0; i < 2 * queryTiles; i++) {
            Registers.set(highest, i, LOWEST);
        }
        int slot = 0;
        for (int tile = 0; tile < tiles; tile++) {
            SharedMemory.awaitCopies(stages - 2);
            context.localBarrier();
            int next = tile + stages - 1;
            int free = slot == 0 ? stages - 1 : slot - 1;
            if (next < tiles) {
                int at = to + free * (2 * tileBytes);
                int from = thread * 4 + next * (tileBytes / 4);
                copy(at, qkv, keysAt + from, lastKeys, tileBytes, thread, threads);
                copy(at + tileBytes, qkv, valuesAt + from, lastValues, tileBytes, thread, threads);
            }
            SharedMemory.commitCopies();
            int keyTile = memory + slot * (2 * tileBytes);

            Registers.clear(scores);
            for (int first = 0; first < groups; first += span / 8) {
                multiplyKeys(
                        scores,
                        first,
                        q,
                        queryRow + downThenAcross,
                        queryRow + downThenPlane,
                        keyTile + acrossThenDown,
                        keyTile + downThenPlane,
                        queryTiles,
                        groups,
                        span / 8,
                        columns,
                        planes,
                        held);
            }
            if (tokens % keys != 0 && tile == tiles - 1) {
                mask(scores, queryTiles, groups, tokens % keys / 8);
            }
            for (int m = 0; m < queryTiles; m++) {
                raise(highest, factors, scores, m, groups, scale);
                weigh(high, low, sums, highest, factors, scores, m, groups, planes, scale);
            }
            int valueTile = keyTile + tileBytes;
            for (int column = 0; column < steps; column++) {
                Warp.sync();
                multiplyValues(
                        o,
                        2 * column,
                        high,
                        low,
                        factors,
                        valueTile + downThenAcross + column * (2 * MATRIX),
                        queryTiles,
                        groups,
                        columns,
                        planes);
            }
            if (columns % 2 != 0) {
                multiplyLastValues(
                        o,
                        high,
                        low,
                        factors,
                        valueTile + downThenPlane + (columns - 1) * MATRIX,
                        queryTiles,
                        groups,
                        columns,
                        planes);
            }
            slot = slot == stages - 1 ? 0 : slot + 1;
        }

        int sample = head / heads;
        int column = (head - sample * heads) * columns;
        float largest = 0f;
        for (int m = 0; m < queryTiles; m++) {
            for (int half = 0; half < 2; half++) {
                int group = queryGroup + 2 * m + half;
                if (tokens % queries == 0 || group < tokens / 8) {
                    largest = store(
                            out,
                            o,
                            sums,
                            m,
                            half,
                            sample * (tokens / 8) + group,
                            column,
                            lane,
                            samples * tokens,
                            columns,
                            planes,
                            largest);
                }
            }
        }
        if (!(largest <= Packed.LARGEST)) {
            overflow.set(layer.get(0) * kinds + kind, 1);
        }
    }

    /** A warp's queries into registers: planes, tiles, steps of 16 dimensions with four each, two for the last 8. */
    private static void loadQueries(
            int[] q,
            IntArray qkv,
            int at,
            int queryGroup,
            int tokens,
            int queryTiles,
            int columns,
            int planes,
            int held) {
        int per = columns / 2 * 4 + columns % 2 * 2;
        for (int plane = 0; plane < held; plane++) {
            for (int m = 0; m < queryTiles; m++) {
                for (int half = 0; half < 2; half++) {
                    int group = Math.min(queryGroup + 2 * m + half, tokens / 8 - 1);
                    int from = at + (group * planes + plane) * (columns * 32);
                    for (int column = 0; column < columns; column++) {
                        int register = (plane * queryTiles + m) * per + column / 2 * 4 + column % 2 * 2 + half;
                        Registers.set(q, register, qkv.get(from + column * 32));
                    }
                }
            }
        }
    }

    /**
     * A thread's part of a copy of {@code bytes} by its block.
     *
     * @param to where its first 16 bytes go
     * @param from their index
     * @param last the index that the head's last 16 bytes have: what is past its end is its end again; or -1
     */
    private static void copy(int to, IntArray qkv, int from, int last, int bytes, int thread, int threads) {
        int pieces = bytes / 16;
        for (int first = 0; first < pieces; first += threads) {
            if (first + threads <= pieces || first + thread < pieces) {
                if (last < 0) {
                    SharedMemory.copyAsync(to + first * 16, qkv, from + first * 4);
                } else {
                    SharedMemory.copyAsync(to + first * 16, qkv, Math.min(from + first * 4, last));
                }
            }
        }
    }

    /** {@code Q K^T} of a warp's queries and {@code span} groups of 8 keys from {@code first}. */
    private static void multiplyKeys(
            float[] scores,
            int first,
            int[] q,
            int queryAddress,
            int queryLastAddress,
            int keyAddress,
            int keyLastAddress,
            int queryTiles,
            int groups,
            int span,
            int columns,
            int planes,
            int held) {
        float[] cross = Registers.floats(planes == 2 ? queryTiles * span * 4 : 1);
        int[] a = Registers.ints(queryTiles * 8);
        int[] k = Registers.ints(8);
        int groupBytes = columns * planes * MATRIX;
        int per = columns / 2 * 4 + columns % 2 * 2;
        for (int step = 0; step < columns / 2; step++) {
            Warp.sync();
            for (int m = 0; m < queryTiles; m++) {
                int address = queryAddress + m * 2 * groupBytes + step * (2 * MATRIX);
                for (int plane = 0; plane < planes; plane++) {
                    if (plane < held) {
                        take(a, m * 8 + plane * 4, q, (plane * queryTiles + m) * per + step * 4, 4);
                    } else {
                        Mma.loadMatrices4(a, m * 8 + plane * 4, address + plane * (columns * MATRIX));
                    }
                }
            }
            for (int j = 0; j < span; j += 2) {
                int address = keyAddress + (first + j) * groupBytes + step * (2 * MATRIX);
                Mma.loadMatrices4(k, 0, address);
                if (planes == 2) {
                    Mma.loadMatrices4(k, 4, address + columns * MATRIX);
                }
                for (int m = 0; m < queryTiles; m++) {
                    int s = (m * groups + first + j) * 4;
                    Mma.m16n8k16(scores, s, a, m * 8, k, 0);
                    Mma.m16n8k16(scores, s + 4, a, m * 8, k, 2);
                    if (planes == 2) {
                        int c = (m * span + j) * 4;
                        Mma.m16n8k16(cross, c, a, m * 8, k, 4);
                        Mma.m16n8k16(cross, c + 4, a, m * 8, k, 6);
                    }
                }
                for (int m = 0; m < queryTiles && planes == 2; m++) {
                    int c = (m * span + j) * 4;
                    Mma.m16n8k16(cross, c, a, m * 8 + 4, k, 0);
                    Mma.m16n8k16(cross, c + 4, a, m * 8 + 4, k, 2);
                }
            }
        }
        if (columns % 2 != 0) {
            for (int m = 0; m < queryTiles; m++) {
                int address = queryLastAddress + m * 2 * groupBytes + (columns - 1) * MATRIX;
                for (int plane = 0; plane < planes; plane++) {
                    if (plane < held) {
                        take(a, m * 8 + plane * 2, q, (plane * queryTiles + m) * per + columns / 2 * 4, 2);
                    } else {
                        Mma.loadMatrices2(a, m * 8 + plane * 2, address + plane * (columns * MATRIX));
                    }
                }
            }
            for (int j = 0; j < span; j += 2) {
                int address = keyLastAddress + (first + j) * groupBytes + (columns - 1) * MATRIX;
                if (planes == 2) {
                    Mma.loadMatrices4(k, 0, address);
                } else {
                    Mma.loadMatrices2(k, 0, address);
                }
                for (int m = 0; m < queryTiles; m++) {
                    int s = (m * groups + first + j) * 4;
                    Mma.m16n8k8(scores, s, a, m * 8, k, 0);
                    Mma.m16n8k8(scores, s + 4, a, m * 8, k, 1);
                    if (planes == 2) {
                        int c = (m * span + j) * 4;
                        Mma.m16n8k8(cross, c, a, m * 8, k, 2);
                        Mma.m16n8k8(cross, c + 4, a, m * 8, k, 3);
                    }
                }
                for (int m = 0; m < queryTiles && planes == 2; m++) {
                    int c = (m * span + j) * 4;
                    Mma.m16n8k8(cross, c, a, m * 8 + 2, k, 0);
                    Mma.m16n8k8(cross, c + 4, a, m * 8 + 2, k, 1);
                }
            }
        }
        if (planes == 2) {
            for (int m = 0; m < queryTiles; m++) {
                for (int j = 0; j < span; j++) {
                    for (int i = 0; i < 4; i++) {
                        int s = (m * groups + first + j) * 4 + i;
                        float c = Registers.get(cross, (m * span + j) * 4 + i);
                        Registers.set(scores, s, Approximate.fma(c, UNSCALE_LOW, Registers.get(scores, s)));
                    }
                }
            }
        }
    }

    private static void take(int[] to, int i, int[] from, int j, int count) {
        for (int n = 0; n < count; n++) {
            Registers.set(to, i + n, Registers.get(from, j + n));
        }
    }

    /** No weight for the groups of keys from {@code count}. */
    private static void mask(float[] scores, int queryTiles, int groups, int count) {
        for (int m = 0; m < queryTiles; m++) {
            for (int j = count; j < groups; j++) {
                for (int i = 0; i < 4; i++) {
                    Registers.set(scores, (m * groups + j) * 4 + i, LOWEST);
                }
            }
        }
    }

    /**
     * Raises the highest exponents of tile m's two rows to those of its scores; factors are what sums so far shrink by.
     * Exponents are compared and subtracted as they were rounded, so that sums of all tiles have the same factor.
     */
    private static void raise(float[] highest, float[] factors, float[] scores, int m, int groups, float scale) {
        for (int half = 0; half < 2; half++) {
            int s = m * groups * 4 + half * 2;
            float top = Approximate.max(Registers.get(scores, s), Registers.get(scores, s + 1));
            for (int j = 1; j < groups; j++) {
                top = Approximate.max(
                        top, Approximate.max(Registers.get(scores, s + j * 4), Registers.get(scores, s + j * 4 + 1)));
            }
            top = Approximate.max(top, Warp.shuffleXor(top, 1));
            top = Approximate.max(top, Warp.shuffleXor(top, 2));
            float before = Registers.get(highest, 2 * m + half);
            float now = Approximate.max(before, top * scale);
            Registers.set(highest, 2 * m + half, now);
            Registers.set(factors, 2 * m + half, Approximate.exp2(before - now));
        }
    }

    /** Tile m's scores become weights, packed as the operand of the next product, and join the sums of its rows. */
    private static void weigh(
            int[] high,
            int[] low,
            float[] sums,
            float[] highest,
            float[] factors,
            float[] scores,
            int m,
            int groups,
            int planes,
            float scale) {
        for (int half = 0; half < 2; half++) {
            float shift = -Registers.get(highest, 2 * m + half);
            float sum = Registers.get(sums, 2 * m + half) * Registers.get(factors, 2 * m + half);
            for (int j = 0; j < groups; j++) {
                int s = (m * groups + j) * 4 + half * 2;
                float x = Approximate.exp2(Approximate.fma(Registers.get(scores, s), scale, shift));
                float y = Approximate.exp2(Approximate.fma(Registers.get(scores, s + 1), scale, shift));
                sum = sum + (x + y);
                int pair = Packed.high(x, y);
                Registers.set(high, (m * groups + j) * 2 + half, pair);
                if (planes == 2) {
                    Registers.set(low, (m * groups + j) * 2 + half, Packed.low(x, y, pair));
                }
            }
            Registers.set(sums, 2 * m + half, sum);
        }
    }

    /** {@code O = O * factors + P V} in 16 columns of the output from {@code column}. */
    private static void multiplyValues(
            float[] o,
            int column,
            int[] high,
            int[] low,
            float[] factors,
            int address,
            int queryTiles,
            int groups,
            int columns,
            int planes) {
        float[] sums = Registers.floats(queryTiles * 8);
        float[] cross = Registers.floats(queryTiles * 8);
        int[] v = Registers.ints(8);
        for (int j = 0; j < groups; j += 2) {
            int from = address + j * (columns * planes * MATRIX);
            Mma.loadMatrices4Transposed(v, 0, from);
            if (planes == 2) {
                Mma.loadMatrices4Transposed(v, 4, from + columns * MATRIX);
            }
            for (int m = 0; m < queryTiles; m++) {
                int p = (m * groups + j) * 2;
                Mma.m16n8k16(sums, m * 8, high, p, v, 0);
                Mma.m16n8k16(sums, m * 8 + 4, high, p, v, 2);
                if (planes == 2) {
                    Mma.m16n8k16(cross, m * 8, high, p, v, 4);
                    Mma.m16n8k16(cross, m * 8 + 4, high, p, v, 6);
                }
            }
            for (int m = 0; m < queryTiles && planes == 2; m++) {
                int p = (m * groups + j) * 2;
                Mma.m16n8k16(cross, m * 8, low, p, v, 0);
                Mma.m16n8k16(cross, m * 8 + 4, low, p, v, 2);
            }
        }
        for (int m = 0; m < queryTiles; m++) {
            for (int i = 0; i < 8; i++) {
                add(o, (m * columns + column) * 4 + i, factors, 2 * m + i / 2 % 2, sums, cross, m * 8 + i, planes);
            }
        }
    }

    /** {@link #multiplyValues} of the last 8 columns of an odd number of them. */
    private static void multiplyLastValues(
            float[] o,
            int[] high,
            int[] low,
            float[] factors,
            int address,
            int queryTiles,
            int groups,
            int columns,
            int planes) {
        float[] sums = Registers.floats(queryTiles * 4);
        float[] cross = Registers.floats(queryTiles * 4);
        int[] v = Registers.ints(4);
        for (int j = 0; j < groups; j += 2) {
            int from = address + j * (columns * planes * MATRIX);
            if (planes == 2) {
                Mma.loadMatrices4Transposed(v, 0, from);
            } else {
                Mma.loadMatrices2Transposed(v, 0, from);
            }
            for (int m = 0; m < queryTiles; m++) {
                int p = (m * groups + j) * 2;
                Mma.m16n8k16(sums, m * 4, high, p, v, 0);
                if (planes == 2) {
                    Mma.m16n8k16(cross, m * 4, high, p, v, 2);
                }
            }
            for (int m = 0; m < queryTiles && planes == 2; m++) {
                Mma.m16n8k16(cross, m * 4, low, (m * groups + j) * 2, v, 0);
            }
        }
        for (int m = 0; m < queryTiles; m++) {
            for (int i = 0; i < 4; i++) {
                add(o, (m * columns + columns - 1) * 4 + i, factors, 2 * m + i / 2, sums, cross, m * 4 + i, planes);
            }
        }
    }

    private static void add(float[] o, int i, float[] factors, int f, float[] sums, float[] cross, int s, int planes) {
        float sum = Registers.get(sums, s);
        if (planes == 2) {
            sum = Approximate.fma(Registers.get(cross, s), UNSCALE_LOW, sum);
        }
        Registers.set(o, i, Approximate.fma(Registers.get(o, i), Registers.get(factors, f), sum));
    }

    /** Writes one 8-row half of tile m as row {@code rowGroup} of 8x8 matrices; the largest magnitude so far. */
    private static float store(
            IntArray out,
            float[] o,
            float[] sums,
            int m,
            int half,
            int rowGroup,
            int firstColumn,
            int lane,
            int rows,
            int columns,
            int planes,
            float largestBefore) {
        float sum = Registers.get(sums, 2 * m + half);
        sum = sum + Warp.shuffleXor(sum, 1);
        sum = sum + Warp.shuffleXor(sum, 2);
        float inverse = Approximate.reciprocal(sum);
        float largest = largestBefore;
        int paddedRows = Packed.paddedRows(rows);
        for (int column = 0; column < columns; column++) {
            float x = Registers.get(o, (m * columns + column) * 4 + half * 2) * inverse;
            float y = Registers.get(o, (m * columns + column) * 4 + half * 2 + 1) * inverse;
            largest = Packed.largest(largest, x, y);
            // A matrix's 32 pairs lie as a warp's lanes hold them.
            int at = Packed.index(rowGroup * 8, (firstColumn + column) * 8, paddedRows, planes) + lane;
            int high = Packed.high(x, y);
            GlobalMemory.store(out, at, high);
            if (planes == 2) {
                GlobalMemory.store(out, at + Packed.PLANE, Packed.low(x, y, high));
            }
        }
        return largest;
    }
}
