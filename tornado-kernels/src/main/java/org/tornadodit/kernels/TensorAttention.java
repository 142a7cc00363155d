package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.MemoryBarrier;
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
    /** Largest head size. */
    public static final int MAX_HEAD_SIZE = 128;
    /** Bytes that a block of Hopper can have. */
    private static final int MAX_SHARED = 227 * 1024;

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
     * @param bulk 1 for bulk copies of whole tiles (sm_90; at least 3 stages), 0 for cp.async of every thread
     */
    public record Tiling(int queryTiles, int warps, int keys, int stages, int held, int span, int blocks, int bulk) {

        /**
         * The one that measured best on an H200 (sm_90). With bulk 0 it runs from sm_80 on.
         *
         * @param tokens where they end within a tile of keys, the mask takes registers, and a warp has fewer queries
         * @throws IllegalArgumentException for a head size that is no multiple of 8 up to 128, or not 1 or 2 planes
         */
        public static Tiling of(int headSize, int planes, int tokens) {
            if (headSize <= 0 || headSize % 8 != 0 || headSize > MAX_HEAD_SIZE) {
                throw new IllegalArgumentException(
                        "head size " + headSize + ": tensor attention needs a multiple of 8 up to " + MAX_HEAD_SIZE);
            }
            if (planes != 1 && planes != 2) {
                throw new IllegalArgumentException(planes + " planes: a number is one half or two");
            }
            boolean ragged = tokens % 32 != 0;
            if (headSize > 72 || planes == 2 && ragged) {
                return new Tiling(1, 8, 32, 4, planes == 1 ? 1 : 0, 32, 1, planes - 1);
            }
            return planes == 1
                    ? new Tiling(2, 4, 32, 3, 1, 32, 2, 0)
                    : new Tiling(2, 4, 32, 4, headSize > 64 ? 1 : 0, 32, 2, 1);
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
        if (tiling.stages < 2 + tiling.bulk || tiling.keys % tiling.span != 0 || tiling.span % 16 != 0) {
            throw new IllegalArgumentException(tiling + " has too few stages, or keys that the span does not divide");
        }
        int queryBytes = tiling.held < planes ? tiling.queries() * headSize * 2 * planes : 0;
        int bytes =
                tiling.stages * (2 * tiling.keys * headSize * 2 * planes + 2 * AttentionCopies.BARRIER) + queryBytes;
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
            int blocks,
            int bulk) {
        int columns = headSize / 8;
        int steps = columns / 2;
        int groups = keys / 8;
        int groupBytes = columns * planes * AttentionTile.MATRIX;
        int tileBytes = groups * groupBytes;
        int queries = 16 * queryTiles * warps;
        int threads = LANES * warps;
        SharedMemory.block(threads, blocks);
        int queryBytes = held < planes ? queries / 8 * groupBytes : 0;
        int memory = SharedMemory.dynamic(
                stages * 2 * tileBytes + queryBytes + bulk * (stages * 2 * AttentionCopies.BARRIER));

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
        int downThenAcross = row + ((lane >> 3) & 1) * groupBytes + (lane >> 4) * AttentionTile.MATRIX;
        int acrossThenDown = row + (lane >> 4) * groupBytes + ((lane >> 3) & 1) * AttentionTile.MATRIX;
        // Two matrices along tokens, in one plane and then the other: for the last column of an odd number.
        int downThenPlane = row + ((lane >> 3) & 1) * groupBytes + (lane >> 4) * (columns * AttentionTile.MATRIX);
        int queryRow = memory + stages * 2 * tileBytes + warp * (2 * queryTiles) * groupBytes;

        int[] q = Registers.ints(held * queryTiles * (steps * 4 + columns % 2 * 2) + 1);
        if (held > 0) {
            loadQueries(q, qkv, head * headInts + lane, queryGroup, tokens, queryTiles, columns, planes, held);
        }
        int tiles = (tokens + keys - 1) / keys;
        int queriesAt = head * headInts + firstGroup * (groupBytes / 4);
        int queryMemory = memory + stages * 2 * tileBytes;
        int to = memory + thread * 16;
        int lastKeys = tokens % keys == 0 ? -1 : keysAt + headInts - 4;
        int lastValues = tokens % keys == 0 ? -1 : valuesAt + headInts - 4;
        int full = queryMemory + queryBytes;
        int empty = full + stages * AttentionCopies.BARRIER;
        int lastBytes = tokens % keys == 0 ? tileBytes : tokens % keys / 8 * groupBytes;
        if (bulk == 1) {
            if (tokens % keys != 0) {
                int gap = memory + (tiles - 1) % stages * (2 * tileBytes) + tileBytes + lastBytes;
                AttentionCopies.clear(gap, tileBytes - lastBytes, thread, threads);
            }
            if (thread == 0) {
                AttentionCopies.initialize(full, empty, stages, warps);
            }
            context.localBarrier();
            if (thread == 0) {
                int loaded = 0;
                if (held < planes) {
                    int rows = tokens % queries == 0 ? queries : Math.min(queries, tokens - firstGroup * 8);
                    loaded = rows / 8 * groupBytes;
                    MemoryBarrier.copy(queryMemory, qkv, queriesAt, loaded, full);
                }
                for (int stage = 0; stage < stages - 2; stage++) {
                    if (stage < tiles) {
                        int from = stage * (tileBytes / 4);
                        AttentionCopies.copyBulk(
                                memory + stage * (2 * tileBytes),
                                qkv,
                                keysAt + from,
                                valuesAt + from,
                                tileBytes,
                                stage == tiles - 1 ? lastBytes : tileBytes,
                                stage == 0 ? loaded : 0,
                                full + stage * AttentionCopies.BARRIER);
                    }
                }
            }
            Warp.sync();
        } else {
            if (held < planes) {
                int last = tokens % queries == 0 ? -1 : (head + 1) * headInts - 4;
                AttentionCopies.copy(
                        queryMemory + thread * 16, qkv, queriesAt + thread * 4, last, queryBytes, thread, threads);
            }
            for (int stage = 0; stage < stages - 1; stage++) {
                int at = to + stage * (2 * tileBytes);
                int from = thread * 4 + stage * (tileBytes / 4);
                if (stage < tiles) {
                    AttentionCopies.copy(at, qkv, keysAt + from, lastKeys, tileBytes, thread, threads);
                    AttentionCopies.copy(at + tileBytes, qkv, valuesAt + from, lastValues, tileBytes, thread, threads);
                }
                SharedMemory.commitCopies();
            }
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
            Registers.set(highest, i, AttentionTile.LOWEST);
        }
        int count = Registers.opaque(tiles);
        int turn = 0;
        for (int tile = 0; tile < count; tile++) {
            // Each way of counting where it leaves the assembler registers enough.
            int slot = bulk == 1 ? tile % stages : turn;
            if (bulk == 1) {
                // The copies are two tiles ahead, so that a warp may be a tile behind the others.
                int next = tile + stages - 2;
                if (thread == 0 && next < count) {
                    int stage = next % stages;
                    int from = next * (tileBytes / 4);
                    MemoryBarrier.await(empty + stage * AttentionCopies.BARRIER, (next / stages + 1) & 1);
                    AttentionCopies.copyBulk(
                            memory + stage * (2 * tileBytes),
                            qkv,
                            keysAt + from,
                            valuesAt + from,
                            tileBytes,
                            tokens % keys != 0 && next == count - 1 ? lastBytes : tileBytes,
                            0,
                            full + stage * AttentionCopies.BARRIER);
                }
                Warp.sync();
                MemoryBarrier.await(full + slot * AttentionCopies.BARRIER, (tile / stages) & 1);
            } else {
                SharedMemory.awaitCopies(stages - 2);
                context.localBarrier();
                int next = tile + stages - 1;
                int free = slot == 0 ? stages - 1 : slot - 1;
                if (next < count) {
                    int at = to + free * (2 * tileBytes);
                    int from = thread * 4 + next * (tileBytes / 4);
                    AttentionCopies.copy(at, qkv, keysAt + from, lastKeys, tileBytes, thread, threads);
                    AttentionCopies.copy(at + tileBytes, qkv, valuesAt + from, lastValues, tileBytes, thread, threads);
                }
                SharedMemory.commitCopies();
            }
            int keyTile = memory + slot * (2 * tileBytes);

            Registers.clear(scores);
            for (int first = 0; first < groups; first += span / 8) {
                AttentionTile.multiplyKeys(
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
            if (tokens % keys != 0 && tile == count - 1) {
                AttentionTile.mask(scores, queryTiles, groups, tokens % keys / 8);
            }
            for (int m = 0; m < queryTiles; m++) {
                AttentionTile.raise(highest, factors, scores, m, groups, scale);
                AttentionTile.weigh(high, low, sums, highest, factors, scores, m, groups, planes, scale);
            }
            int valueTile = keyTile + tileBytes;
            for (int column = 0; column < steps; column++) {
                Warp.sync();
                AttentionTile.multiplyValues(
                        o,
                        2 * column,
                        high,
                        low,
                        factors,
                        valueTile + downThenAcross + column * (2 * AttentionTile.MATRIX),
                        queryTiles,
                        groups,
                        columns,
                        planes);
            }
            if (columns % 2 != 0) {
                AttentionTile.multiplyLastValues(
                        o,
                        high,
                        low,
                        factors,
                        valueTile + downThenPlane + (columns - 1) * AttentionTile.MATRIX,
                        queryTiles,
                        groups,
                        columns,
                        planes);
            }
            if (bulk == 1) {
                Warp.sync();
                MemoryBarrier.arriveIfZero(empty + slot * AttentionCopies.BARRIER, lane);
            }
            turn = turn == stages - 1 ? 0 : turn + 1;
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
            Packed.store(out, at, Packed.PLANE, x, y, planes);
        }
        return largest;
    }
}
