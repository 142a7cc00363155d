package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
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
        // Tiles that are copied ahead of the one that is multiplied.
        int ahead = stages - (planes == 1 && form == MmaTile.AMPERE && stages > 2 ? 2 : 1);
        for (int stage = 0; stage < ahead; stage++) {
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
                        : queryTiles * MmaAttentionTile.queryRegisters(columns, planes));
        // With one plane in Ampere's form: see MmaSoftmax.
        boolean seldom = planes == 1 && form == MmaTile.AMPERE;
        int atOnce = seldom ? MmaSoftmax.keys(keys) : keys;
        float[] s = Registers.floats(queryTiles * (atOnce / 2));
        int[] p = Registers.ints(queryTiles * planes * (atOnce / 4));
        float[] o = Registers.floats(
                form == MmaTile.VOLTA ? VoltaAttentionTile.outRegisters(columns) : queryTiles * 4 * columns);
        float[] tileO = Registers.floats(form == MmaTile.VOLTA ? VoltaAttentionTile.outRegisters(columns) : 1);
        float[] highest = Registers.floats(2 * queryTiles);
        float[] factors = Registers.floats(2 * queryTiles);
        float[] factorsBefore = Registers.floats(2 * queryTiles);
        float[] sums = Registers.floats(2 * queryTiles);
        int stage = 0;
        float largest = 0f;
        // Whether a tile's values come beside the weights of the next one.
        boolean behind = seldom && stages > 2;
        for (int item = context.groupIdx; item < items; item += blocks) {
            int head = item / queryBlocks;
            int firstGroup = (item - head * queryBlocks) * (queries / 8) + thread / LANES * (2 * queryTiles);
            if (form == MmaTile.VOLTA) {
                VoltaAttentionTile.loadQueries(
                        q, qkv, head * headInts + queriesAt, firstGroup, asked, lane, columns, planes);
            } else {
                MmaAttentionTile.loadQueries(
                        q, qkv, head * headInts + queriesAt + lane, firstGroup, asked, queryTiles, columns, planes);
            }
            Registers.clear(o);
            Registers.clear(sums);
            for (int i = 0; i < 2 * queryTiles; i++) {
                Registers.set(highest, i, WarpgroupAttentionTile.LOWEST);
            }
            for (int i = 0; i < queryTiles * (atOnce / 4) && behind; i++) {
                Registers.set(p, i, 0);
            }
            int valuesBefore = shared + stage * (2 * tileBytes) + tileBytes;
            for (int tile = 0; tile < tiles; tile++) {
                MmaTile.await(ahead - 1, form);
                context.localBarrier();
                // In the background past the last item, too, which is copied again: a branch would end a piece of code.
                if (form == MmaTile.AMPERE || next < items) {
                    int nextHead = Math.min(next, items - 1) / queryBlocks;
                    copy(
                            shared
                                    + (stage < stages - ahead ? stage + ahead : stage - (stages - ahead))
                                            * (2 * tileBytes),
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
                boolean isLast = nextTile == tiles;
                nextTile = isLast ? 0 : nextTile;
                next += isLast ? blocks : 0;
                int keyTile = shared + stage * (2 * tileBytes);
                int valueTile = keyTile + tileBytes;
                Registers.clear(s);
                for (int from = 0; from < keys && seldom; from += atOnce) {
                    int keysHere = keyTile + from / 8 * groupBytes;
                    int valuesHere = valueTile + from / 8 * groupBytes;
                    Registers.clear(s);
                    MmaAttentionTile.multiplyKeys(
                            s,
                            q,
                            keysHere + acrossThenDown,
                            keysHere + planeThenDown,
                            queryTiles,
                            atOnce,
                            columns,
                            planes,
                            form);
                    MmaSoftmax.mask(s, queryTiles, from, atOnce, keys, tokens, tile == tiles - 1);
                    if (behind) {
                        MmaAttentionTile.addValues(
                                o,
                                p,
                                valuesBefore + downThenAcross,
                                valuesBefore + downThenPlane,
                                queryTiles,
                                atOnce,
                                columns,
                                form);
                        valuesBefore = valuesHere;
                    }
                    MmaSoftmax.weigh(s, p, o, sums, highest, queryTiles, atOnce, columns, scale);
                    if (!behind) {
                        MmaAttentionTile.addValues(
                                o,
                                p,
                                valuesHere + downThenAcross,
                                valuesHere + downThenPlane,
                                queryTiles,
                                atOnce,
                                columns,
                                form);
                    }
                }
                if (form == MmaTile.VOLTA) {
                    VoltaAttentionTile.multiplyKeys(s, q, keyTile + keyPlace, keys, columns, planes);
                    MmaTile.arrange(s, 0, keys / 16, scratch, lane, form);
                } else if (!seldom) {
                    MmaAttentionTile.multiplyKeys(
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
                for (int m = 0; m < queryTiles && !seldom; m++) {
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
                for (int column = 0; column < columns / 2 && form != MmaTile.VOLTA && !seldom; column++) {
                    MmaAttentionTile.multiplyValues(
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
                if (columns % 2 != 0 && form != MmaTile.VOLTA && !seldom) {
                    MmaAttentionTile.multiplyLastValues(
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
            if (behind) {
                MmaAttentionTile.addValues(
                        o,
                        p,
                        valuesBefore + downThenAcross,
                        valuesBefore + downThenPlane,
                        queryTiles,
                        atOnce,
                        columns,
                        form);
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
            int at = keysAt + (tokens % keys == 0 ? from + piece * 4 : Math.min(from + piece * 4, last));
            int address = to + (piece + thread) * 16;
            if (piece + threads <= pieces) {
                MmaTile.copy(address, qkv, at, form);
                MmaTile.copy(address + tileBytes, qkv, at + toValues, form);
            } else {
                MmaTile.copyIf(pieces - piece - thread, address, qkv, at, form);
                MmaTile.copyIf(pieces - piece - thread, address + tileBytes, qkv, at + toValues, form);
            }
        }
    }
}
