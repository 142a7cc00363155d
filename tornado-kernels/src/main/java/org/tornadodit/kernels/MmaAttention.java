package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.AtLaunch;
import org.tornadodit.kernels.ptx.Mma;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What {@link WarpgroupAttention} computes, from the same operands, by the tensor cores' instructions of a warp (mma.sync): the
 * softmax is carried along the keys in registers (T. Dao, FlashAttention-2, 2023).
 *
 * <p>A warp serves a few tiles of 16 queries, which stay in registers; a work group's warps share a head's tiles of keys and
 * values, which they copy into a ring of stages in shared memory as they lie in global memory. Two work groups a
 * multiprocessor have their softmaxes beside each other's products.
 *
 * <p>The tensor core truncates as it adds. Only the sums of one tile of keys are left to it; a tile's {@code P V} joins the output
 * by an FMA that also rescales it.
 */
public final class MmaAttention {
    private static final int LANES = 32;
    /** Queries of an instruction. */
    private static final int ROWS = 16;
    /** Bytes of an 8x8 matrix of halves. */
    private static final int MATRIX = WarpgroupAttentionTile.MATRIX;

    private static final double LOG2_E = 1.4426950408889634;

    private MmaAttention() {}

    /**
     * How the work is cut: constants of the compiled kernel.
     *
     * @param warps of a work group
     * @param queryTiles of 16 queries that a warp serves
     * @param keys of a tile, a multiple of 16; another number gives other bits
     * @param stages tiles of keys and of values in shared memory at a time, at least 2
     * @param together work groups of a multiprocessor, which share its registers
     * @param form of the instructions
     */
    public record Tiling(int warps, int queryTiles, int keys, int stages, int together, MmaForm form)
            implements AttentionTiling {
        /** With eight warps a multiprocessor. */
        public Tiling(int warps, int queryTiles, int keys, int stages, MmaForm form) {
            this(warps, queryTiles, keys, stages, warps <= 4 ? 2 : 1, form);
        }

        @Override
        public int queries() {
            return ROWS * queryTiles * warps;
        }

        @Override
        public int threads() {
            return LANES * warps;
        }

        @Override
        public int sharedBytes(int headSize, int planes) {
            return stages * 2 * keys * headSize * 2 * planes + scratch(warps, form.code());
        }

        @Override
        public void check(int planes) {
            if (warps < 1
                    || queryTiles < 1
                    || keys < 16
                    || keys % 16 != 0
                    || stages < 2
                    || together < 1
                    || (form == MmaForm.VOLTA && queryTiles > 1)) {
                throw new IllegalArgumentException(this + ": it takes a multiple of 16 keys, two stages or"
                        + " more, and one tile of queries in Volta's form");
            }
        }
    }

    /** Bytes for what Volta's form arranges, and may read behind the last tile of values. */
    private static int scratch(int warps, int form) {
        return MmaTile.scratch(warps, form);
    }

    /**
     * Attention of every sample and head. What is not said here is in {@link TensorAttentionArguments}, which makes the task.
     *
     * @param most N that there is room for
     * @param warps this and the next four: see {@link Tiling}
     * @param form see {@link MmaForm#code}
     * @param queriesFrom first token that attends, see {@link AttentionShape#queriesFrom}
     * @param asked how many attend
     */
    public static void attention(
            KernelContext context,
            IntArray qkv,
            IntArray out,
            IntArray layer,
            IntArray batch,
            IntArray overflow,
            @AtLaunch int most,
            int tokens,
            int heads,
            int headSize,
            int planes,
            int warps,
            int queryTiles,
            int keys,
            int stages,
            int together,
            @AtLaunch int blocks,
            int form,
            int queriesFrom,
            int asked) {
        int columns = headSize / 8;
        int groupBytes = columns * planes * MATRIX;
        int tileBytes = keys / 8 * groupBytes;
        int queries = ROWS * queryTiles * warps;
        int threads = LANES * warps;
        int shared = SharedMemory.dynamic(stages * 2 * tileBytes + scratch(warps, form));
        SharedMemory.block(threads, together);
        int thread = context.localIdx;
        int lane = thread % LANES;
        int queryBlocks = (asked + queries - 1) / queries;
        int items = batch.get(Batch.PASSES) * (heads * queryBlocks);
        int tiles = Registers.opaque((tokens + keys - 1) / keys);
        int headInts = tokens / 8 * (groupBytes / 4);
        int firstAsked = queriesFrom < 0 ? batch.get(Batch.PATCH) * asked : queriesFrom;
        int queriesAt = firstAsked / 8 * (groupBytes / 4);
        int allKeys = most * heads * headInts;
        int keysFrom = queriesFrom < 0 ? allKeys * (1 + 2 * layer.get(0)) : allKeys;
        // Where the next copy is: an item, and a tile of its head's keys.
        int next = context.groupIdx;
        int nextTile = 0;
        for (int stage = 0; stage < stages - 1; stage++) {
            if (next < items) {
                int head = next / queryBlocks;
                copy(
                        shared + stage * 2 * tileBytes,
                        qkv,
                        keysFrom + head * headInts,
                        allKeys,
                        nextTile,
                        thread,
                        threads,
                        tokens,
                        keys,
                        tileBytes,
                        form);
            }
            MmaTile.commit(form);
            nextTile++;
            if (nextTile == tiles) {
                nextTile = 0;
                next += blocks;
            }
        }

        // A lane's row among four matrices: along keys then dimensions, and the other way round; where the last column
        // of
        // an odd number is alone, along keys then planes, and the other way round.
        int row8 = lane % 8 * 16;
        int downThenAcross = row8 + lane / 8 % 2 * groupBytes + lane / 16 * MATRIX;
        int acrossThenDown = row8 + lane / 16 * groupBytes + lane / 8 % 2 * MATRIX;
        int downThenPlane = row8 + lane / 8 % 2 * groupBytes + lane / 16 * ((planes - 1) * columns * MATRIX);
        int planeThenDown = planes == 2
                ? row8 + lane / 16 * groupBytes + lane / 8 % 2 * (columns * MATRIX)
                : row8 + lane / 8 % 2 * groupBytes;

        int keyPlace = MmaTile.right(lane, groupBytes, MATRIX, MmaTile.VOLTA);
        int scratch = shared + stages * 2 * tileBytes + thread / LANES * MmaTile.ARRANGED;

        // In float64: a relative error here is one of every exponent.
        float scale = (float) (LOG2_E / TornadoMath.sqrt((double) headSize));
        int[] q = Registers.ints(
                form == MmaTile.VOLTA
                        ? VoltaAttentionTile.queryRegisters(columns, planes)
                        : queryTiles * queryRegisters(columns, planes));
        float[] s = Registers.floats(queryTiles * (keys / 2));
        int[] p = Registers.ints(queryTiles * planes * (keys / 4));
        float[] o = Registers.floats(
                form == MmaTile.VOLTA ? VoltaAttentionTile.outRegisters(columns) : queryTiles * 4 * columns);
        float[] tileO = Registers.floats(form == MmaTile.VOLTA ? VoltaAttentionTile.outRegisters(columns) : 1);
        float[] highest = Registers.floats(2 * queryTiles);
        float[] factors = Registers.floats(2 * queryTiles);
        float[] factorsBefore = Registers.floats(2 * queryTiles);
        float[] sums = Registers.floats(2 * queryTiles);
        int stage = 0;
        float largest = 0f;
        for (int item = context.groupIdx; item < items; item += blocks) {
            int head = item / queryBlocks;
            int firstGroup = (item - head * queryBlocks) * (queries / 8) + thread / LANES * (2 * queryTiles);
            if (form == MmaTile.VOLTA) {
                VoltaAttentionTile.loadQueries(
                        q, qkv, head * headInts + queriesAt, firstGroup, asked, lane, columns, planes);
            } else {
                loadQueries(q, qkv, head * headInts + queriesAt + lane, firstGroup, asked, queryTiles, columns, planes);
            }
            Registers.clear(o);
            Registers.clear(sums);
            for (int i = 0; i < 2 * queryTiles; i++) {
                Registers.set(highest, i, WarpgroupAttentionTile.LOWEST);
            }
            for (int tile = 0; tile < tiles; tile++) {
                MmaTile.await(stages - 2, form);
                context.localBarrier();
                if (next < items) {
                    int nextHead = next / queryBlocks;
                    copy(
                            shared + (stage == 0 ? stages - 1 : stage - 1) * (2 * tileBytes),
                            qkv,
                            keysFrom + nextHead * headInts,
                            allKeys,
                            nextTile,
                            thread,
                            threads,
                            tokens,
                            keys,
                            tileBytes,
                            form);
                }
                MmaTile.commit(form);
                nextTile++;
                if (nextTile == tiles) {
                    nextTile = 0;
                    next += blocks;
                }
                int keyTile = shared + stage * (2 * tileBytes);
                int valueTile = keyTile + tileBytes;
                Registers.clear(s);
                if (form == MmaTile.VOLTA) {
                    VoltaAttentionTile.multiplyKeys(s, q, keyTile + keyPlace, keys, columns, planes);
                    MmaTile.arrange(s, 0, keys / 16, scratch, lane, form);
                } else {
                    multiplyKeys(
                            s,
                            q,
                            keyTile + acrossThenDown,
                            keyTile + planeThenDown,
                            queryTiles,
                            keys,
                            columns,
                            planes,
                            form);
                }
                for (int m = 0; m < queryTiles; m++) {
                    WarpgroupAttentionTile.mask(s, m, keys, tokens, tile == tiles - 1);
                    WarpgroupAttentionTile.weigh(s, m, sums, highest, factors, factorsBefore, keys, scale);
                    WarpgroupAttentionTile.pack(p, m, s, keys, planes);
                }
                if (form == MmaTile.VOLTA) {
                    VoltaAttentionTile.multiplyValues(
                            o,
                            tileO,
                            p,
                            factors,
                            valueTile + VoltaAttentionTile.values(lane),
                            scratch,
                            lane,
                            keys,
                            columns,
                            planes);
                }
                for (int column = 0; column < columns / 2 && form != MmaTile.VOLTA; column++) {
                    multiplyValues(
                            o,
                            2 * column,
                            p,
                            factors,
                            valueTile + downThenAcross + column * (2 * MATRIX),
                            queryTiles,
                            keys,
                            columns,
                            planes,
                            form);
                }
                if (columns % 2 != 0 && form != MmaTile.VOLTA) {
                    multiplyLastValues(
                            o,
                            p,
                            factors,
                            valueTile + downThenPlane + (columns - 1) * MATRIX,
                            queryTiles,
                            keys,
                            columns,
                            planes,
                            form);
                }
                stage = stage == stages - 1 ? 0 : stage + 1;
            }
            if (form == MmaTile.VOLTA) {
                MmaTile.arrange(o, 0, (columns + 1) / 2, scratch, lane, form);
            }
            for (int m = 0; m < queryTiles; m++) {
                for (int half = 0; half < 2; half++) {
                    int group = firstGroup + 2 * m + half;
                    if (asked % queries == 0 || group < asked / 8) {
                        int rowGroup = head / heads * (asked / 8) + group;
                        int column = head % heads * columns;
                        largest = WarpgroupAttention.store(
                                out, o, sums, m, half, rowGroup, column, lane, most * asked, columns, planes, largest);
                    }
                }
            }
        }
        if (!(largest <= Packed.LARGEST)) {
            overflow.set(layer.get(0) * Overflow.KINDS + Overflow.ATTENTION, 1);
        }
    }

    /** Of a tile of 16 queries: steps of 16 dimensions of each plane, four each, and the last 8 of an odd number. */
    private static int queryRegisters(int columns, int planes) {
        return planes * (columns / 2) * 4 + columns % 2 * (planes == 2 ? 6 : 2);
    }

    /**
     * A thread's part of the copy of a tile of keys and one of values. What is past the head's end is its last again: it has no
     * weight, but NaN would stay NaN.
     *
     * @param keysAt index of the head's keys
     * @param toValues ints from there to its values
     */
    private static void copy(
            int to,
            IntArray qkv,
            int keysAt,
            int toValues,
            int tile,
            int thread,
            int threads,
            int tokens,
            int keys,
            int tileBytes,
            int form) {
        int from = tile * (tileBytes / 4) + thread * 4;
        int last = tokens / 8 * (tileBytes / 4 / (keys / 8)) - 4;
        int pieces = tileBytes / 16;
        for (int piece = 0; piece < pieces; piece += threads) {
            if (piece + threads <= pieces || piece + thread < pieces) {
                int at = tokens % keys == 0 ? from + piece * 4 : Math.min(from + piece * 4, last);
                MmaTile.copy(to + (piece + thread) * 16, qkv, keysAt + at, form);
                MmaTile.copy(to + tileBytes + (piece + thread) * 16, qkv, keysAt + toValues + at, form);
            }
        }
    }

    /**
     * A warp's queries into registers: a step of 16 dimensions has rows g and g + 8 of the first 8, then of the others. With two
     * planes the last 8 of an odd number are there twice in plane 0, for the keys' two planes, and once in plane 1.
     */
    private static void loadQueries(
            int[] q, IntArray qkv, int at, int firstGroup, int asked, int queryTiles, int columns, int planes) {
        int steps = columns / 2;
        for (int m = 0; m < queryTiles; m++) {
            int register = m * queryRegisters(columns, planes);
            for (int half = 0; half < 2; half++) {
                int group = Math.min(firstGroup + 2 * m + half, asked / 8 - 1);
                for (int plane = 0; plane < planes; plane++) {
                    int from = at + (group * planes + plane) * (columns * 32);
                    for (int column = 0; column < 2 * steps; column++) {
                        int to = register + (plane * steps + column / 2) * 4 + column % 2 * 2 + half;
                        Registers.set(q, to, qkv.get(from + column * 32));
                    }
                    if (columns % 2 != 0) {
                        int last = qkv.get(from + (columns - 1) * 32);
                        int to = register + planes * steps * 4 + plane * 4 + half;
                        Registers.set(q, to, last);
                        if (planes == 2 && plane == 0) {
                            Registers.set(q, to + 2, last);
                        }
                    }
                }
            }
        }
    }

    /**
     * {@code S += Q K^T}, of each group of keys the small products first.
     *
     * @param address of the keys, a lane's, along dimensions then keys
     * @param lastAddress likewise, along planes then keys; with one plane along keys
     */
    private static void multiplyKeys(
            float[] s,
            int[] q,
            int address,
            int lastAddress,
            int queryTiles,
            int keys,
            int columns,
            int planes,
            int form) {
        int[] k = Registers.ints(8);
        int steps = columns / 2;
        int groupBytes = columns * planes * MATRIX;
        int per = queryRegisters(columns, planes);
        for (int j = 0; j < keys / 8; j += 2) {
            for (int step = 0; step < steps; step++) {
                int from = address + j * groupBytes + step * (2 * MATRIX);
                Mma.loadMatrices4(k, 0, from);
                if (planes == 2) {
                    Mma.loadMatrices4(k, 4, from + columns * MATRIX);
                }
                for (int product = 3 - (2 * planes - 1); product < 3; product++) {
                    // lo hi, hi lo, hi hi
                    int l = product == 0 ? steps * 4 : 0;
                    int r = product == 1 ? 4 : 0;
                    for (int m = 0; m < queryTiles; m++) {
                        int at = m * (keys / 2) + j * 4;
                        MmaTile.multiply(s, at, q, m * per + step * 4 + l, k, r, form);
                    }
                }
            }
            if (columns % 2 != 0) {
                int from = lastAddress + j * groupBytes + (columns - 1) * MATRIX;
                int last = planes * steps * 4;
                if (planes == 2) {
                    Mma.loadMatrices4(k, 0, from);
                    for (int m = 0; m < queryTiles; m++) {
                        int at = m * (keys / 2) + j * 4;
                        Mma.m16n8k8(s, at, q, m * per + last + 4, k, 0);
                        Mma.m16n8k8(s, at + 4, q, m * per + last + 4, k, 2);
                        MmaTile.multiply(s, at, q, m * per + last, k, 0, form);
                    }
                } else {
                    Mma.loadMatrices2(k, 0, from);
                    for (int m = 0; m < queryTiles; m++) {
                        int at = m * (keys / 2) + j * 4;
                        Mma.m16n8k8(s, at, q, m * per + last, k, 0);
                        Mma.m16n8k8(s, at + 4, q, m * per + last, k, 1);
                    }
                }
            }
        }
    }

    /** {@code O = O * factors + P V} in 16 dimensions, from group {@code column} of 8. */
    private static void multiplyValues(
            float[] o,
            int column,
            int[] p,
            float[] factors,
            int address,
            int queryTiles,
            int keys,
            int columns,
            int planes,
            int form) {
        float[] sums = Registers.floats(queryTiles * 8);
        int[] v = Registers.ints(8);
        int groupBytes = columns * planes * MATRIX;
        Registers.clear(sums);
        for (int step = 0; step < keys / 16; step++) {
            int from = address + step * 2 * groupBytes;
            Mma.loadMatrices4Transposed(v, 0, from);
            if (planes == 2) {
                Mma.loadMatrices4Transposed(v, 4, from + columns * MATRIX);
            }
            for (int product = 3 - (2 * planes - 1); product < 3; product++) {
                int l = product == 0 ? keys / 4 : 0;
                int r = product == 1 ? 4 : 0;
                for (int m = 0; m < queryTiles; m++) {
                    int from16 = m * planes * (keys / 4) + step * 4 + l;
                    MmaTile.multiply(sums, m * 8, p, from16, v, r, form);
                }
            }
        }
        for (int m = 0; m < queryTiles; m++) {
            for (int i = 0; i < 8; i++) {
                join(o, (m * columns + column) * 4 + i, factors, 2 * m + i / 2 % 2, sums, m * 8 + i);
            }
        }
    }

    /** {@link #multiplyValues} of the last 8 dimensions of an odd number of groups. */
    private static void multiplyLastValues(
            float[] o,
            int[] p,
            float[] factors,
            int address,
            int queryTiles,
            int keys,
            int columns,
            int planes,
            int form) {
        float[] sums = Registers.floats(queryTiles * 4);
        int[] v = Registers.ints(4);
        int groupBytes = columns * planes * MATRIX;
        Registers.clear(sums);
        for (int step = 0; step < keys / 16; step++) {
            int from = address + step * 2 * groupBytes;
            if (planes == 2) {
                Mma.loadMatrices4Transposed(v, 0, from);
            } else {
                Mma.loadMatrices2Transposed(v, 0, from);
            }
            for (int product = 3 - (2 * planes - 1); product < 3; product++) {
                int l = product == 0 ? keys / 4 : 0;
                int r = product == 1 ? 2 : 0;
                for (int m = 0; m < queryTiles; m++) {
                    MmaTile.multiplyHalf(sums, m * 4, p, m * planes * (keys / 4) + step * 4 + l, v, r, form);
                }
            }
        }
        for (int m = 0; m < queryTiles; m++) {
            for (int i = 0; i < 4; i++) {
                join(o, (m * columns + columns - 1) * 4 + i, factors, 2 * m + i / 2, sums, m * 4 + i);
            }
        }
    }

    private static void join(float[] o, int i, float[] factors, int f, float[] sums, int s) {
        Registers.set(o, i, Approximate.fma(Registers.get(o, i), Registers.get(factors, f), Registers.get(sums, s)));
    }
}
