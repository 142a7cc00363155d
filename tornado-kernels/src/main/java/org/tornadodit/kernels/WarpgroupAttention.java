package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.AtLaunch;
import org.tornadodit.kernels.ptx.MemoryBarrier;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import org.tornadodit.kernels.ptx.Warp;
import org.tornadodit.kernels.ptx.Wgmma;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Multi-head self-attention on Hopper's tensor cores (sm_90a), softmax(q k^T / sqrt(hd)) v with the softmax carried along
 * the keys in registers (J. Shah et al., FlashAttention-3, 2024). Operands are halves as {@link Packed} lays them out:
 * one plane for one product of FP16-rounded numbers, two for FP32's accuracy in three products.
 *
 * <p>A work group is a producer, one thread of which copies a head's tiles of keys and values into a {@link Pipeline}, as
 * they lie in global memory, and warpgroups that serve 64 queries each. The scores of a tile are made while the tensor
 * core still multiplies the values of the one before, and so the softmax of one warpgroup is in the shadow of its own
 * products and those of the others. As many work groups as the device has multiprocessors take queries after queries.
 *
 * <p>The tensor core truncates as it adds. With two planes only the sums of one tile are left to it, and a tile's {@code
 * P V} joins the output by an FMA that also rescales it; with one plane halves are what limits, and it adds to the
 * output itself.
 */
public final class WarpgroupAttention {
    /** Largest head size. */
    public static final int MAX_HEAD_SIZE = 128;

    private static final int WARPGROUP = 128;
    /** Queries of a warpgroup. */
    private static final int ROWS = 64;
    /** One that is multiplied with, one whose values still are, one that is awaited before those are given back. */
    static final int FEWEST_STAGES = 3;

    private static final int MOST_STAGES = 8;
    /** Barriers besides those of the stages: queries that are there, that are read, turns. */
    private static final int QUERIES_FULL = 0;

    private static final int QUERIES_EMPTY = 1;
    private static final int TURNS = 2;

    /** The barrier of consumers that have stored all. */
    private static final int CONSUMERS_DONE = 1;

    private static final double LOG2_E = 1.4426950408889634;

    private WarpgroupAttention() {}

    /**
     * How the work is cut: constants of the compiled kernel.
     *
     * @param consumers warpgroups that multiply, 1 to 3; registers are for one or two unless heads are small
     * @param keys of a tile, a multiple of 16 up to 256; another number gives other bits
     * @param stages tiles of keys and of values in shared memory at a time, 3 to 8
     * @param held planes of the queries that stay in registers, 0 to planes; the others are read from shared memory
     * @param turns 1 where a warpgroup begins a tile's products after the one before it has, so that their softmaxes do
     *     not coincide; 0 where each begins when it can
     */
    public record Tiling(int consumers, int keys, int stages, int held, int turns) implements AttentionTiling {

        /**
         * The default.
         *
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
            // Two planes fill the registers at 64 keys; one plane has room for more, which are padding where tokens
            // end.
            int keys = planes == 2 && headSize > 112 ? 32 : planes == 2 || tokens % 128 != 0 ? 64 : 128;
            int held = planes == 1 ? 1 : headSize <= 88 ? 2 : headSize <= 112 ? 1 : 0;
            int consumers = tokens <= ROWS ? 1 : 2;
            Tiling tiling = new Tiling(consumers, keys, 4, held, consumers - 1);
            return tiling.sharedBytes(headSize, planes) <= Pipeline.SHARED_BYTES
                    ? tiling
                    : new Tiling(consumers, keys, FEWEST_STAGES, held, consumers - 1);
        }

        @Override
        public int queries() {
            return ROWS * consumers;
        }

        /** With one warpgroup that multiplies, and so half of the queries. */
        Tiling halved() {
            return new Tiling(1, keys, stages, held, 0);
        }

        /** Pieces that the queries of a head are. */
        int queryBlocks(int tokens) {
            return Launch.ceilDiv(tokens, queries());
        }

        @Override
        public void check(int planes) {
            if (stages < FEWEST_STAGES || stages > MOST_STAGES || keys % 16 != 0 || held > planes) {
                throw new IllegalArgumentException(this + " with " + planes
                        + " planes: it takes 3 to 8 stages, a multiple of 16 keys, and holds no more planes than"
                        + " there are");
            }
        }

        @Override
        public int threads() {
            return WARPGROUP * (consumers + 1);
        }

        @Override
        public int together() {
            return 1;
        }

        @Override
        public int sharedBytes(int headSize, int planes) {
            int rowBytes = headSize * 2 * planes;
            return Pipeline.bytes(stages, 2 * keys * rowBytes) + queries() * rowBytes;
        }
    }

    /** Registers of a consumer's thread; with a producer's at most 65536 in all. */
    private static int consumerRegisters(int consumers) {
        return consumers == 3 ? 160 : 240;
    }

    private static int producerRegisters(int consumers) {
        return consumers == 3 ? 32 : 24;
    }

    /**
     * Attention of every sample and head. What is not said here is in {@link TensorAttentionArguments}, which makes the
     * task.
     *
     * @param most N that there is room for
     * @param consumers this and the next four: see {@link Tiling}
     * @param queriesFrom first token that attends, see {@link AttentionShape#queriesFrom}
     * @param asked how many attend
     * @param outPlanes of what is written; with who sends, where heads come and tokens are sent, see {@link Sending#with}: {@code out} is
     *     the link then
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
            int consumers,
            int keys,
            int stages,
            int held,
            int turns,
            @AtLaunch int blocks,
            int queriesFrom,
            int asked,
            int outPlanes) {
        int ranks = Sending.ranks(outPlanes);
        int columns = headSize / 8;
        int groupBytes = columns * planes * WarpgroupAttentionTile.MATRIX;
        int tileBytes = keys / 8 * groupBytes;
        int queries = ROWS * consumers;
        int threads = WARPGROUP * (consumers + 1);
        int shared = SharedMemory.dynamic(Pipeline.bytes(stages, 2 * tileBytes) + queries / 8 * groupBytes);
        SharedMemory.block(threads, 1);
        int thread = context.localIdx;
        int ring = Pipeline.ring(shared);
        if (tokens % keys != 0) {
            // What the last tile leaves as it was has no weight, but NaN would stay NaN.
            for (int i = thread * 16; i < stages * 2 * tileBytes; i += threads * 16) {
                SharedMemory.store(ring + i, 0, 0, 0, 0);
            }
            SharedMemory.fenceAsync();
        }
        if (thread == 0) {
            Pipeline.initialize(shared, stages, 4 * consumers);
            for (int i = 0; i < consumers; i++) {
                MemoryBarrier.initialize(Pipeline.other(shared, TURNS + i), 4);
            }
            MemoryBarrier.initialize(Pipeline.other(shared, QUERIES_FULL), 1);
            MemoryBarrier.initialize(Pipeline.other(shared, QUERIES_EMPTY), 4 * consumers);
            MemoryBarrier.fenceInitialization();
        }
        context.localBarrier();

        int queryBlocks = (asked + queries - 1) / queries;
        int items = batch.get(Batch.PASSES) * (heads * queryBlocks);
        int tiles = (tokens + keys - 1) / keys;
        int firstAsked = queriesFrom < 0 ? batch.get(Batch.PATCH) * asked : queriesFrom;
        // Heads of queries, keys and values, of all layers before, lie before this one's keys.
        int headsBefore = most * heads * (queriesFrom < 0 ? 1 + 2 * layer.get(0) : 1);
        int place = 0;
        int itemsDone = 0;
        if (thread >= consumers * WARPGROUP) {
            Wgmma.decreaseRegisters(producerRegisters(consumers));
            if (thread / 32 == consumers * WARPGROUP / 32 && Warp.elect() == 1) {
                if (ranks > 0) {
                    Sending.await(out, Exchange.HEADS, ranks);
                }
                for (int item = context.groupIdx; item < items; item += blocks) {
                    int head = item / queryBlocks;
                    int first = (item - head * queryBlocks) * queries;
                    copyQueries(
                            shared,
                            qkv,
                            head * tokens + firstAsked + first,
                            Math.min(queries, asked - first),
                            stages,
                            tileBytes,
                            groupBytes,
                            itemsDone);
                    fill(
                            shared,
                            qkv,
                            headsBefore + head,
                            most * heads,
                            tokens,
                            keys,
                            stages,
                            tileBytes,
                            groupBytes,
                            place);
                    place = Pipeline.later(place, tiles, stages);
                    itemsDone++;
                }
            }
        } else {
            Wgmma.increaseRegisters(consumerRegisters(consumers));
            int lane = thread % 32;
            int queryTile = ring + stages * 2 * tileBytes;
            int queryRow = queryTile
                    + thread / 32 * (2 * groupBytes)
                    + lane % 8 * 16
                    + lane / 8 % 2 * groupBytes
                    + lane / 16 * WarpgroupAttentionTile.MATRIX;
            int query =
                    Wgmma.descriptor(queryTile + thread / WARPGROUP * 8 * groupBytes, WarpgroupAttentionTile.MATRIX);
            // An only column is its own neighbour.
            int key = Wgmma.descriptor(ring, columns == 1 ? 0 : WarpgroupAttentionTile.MATRIX);
            int keyPlanes = Wgmma.descriptor(ring, columns * WarpgroupAttentionTile.MATRIX);
            int value = Wgmma.descriptor(ring + tileBytes, groupBytes);
            int stageStep = 2 * tileBytes / 16;
            // In float64: a relative error here is one of every exponent.
            float scale = (float) (LOG2_E / TornadoMath.sqrt((double) headSize));
            int[] q = Registers.ints(WarpgroupAttentionTile.queryRegisters(columns, planes, held));
            float[] s = Registers.floats(keys / 2);
            int[] p = Registers.ints(planes * keys / 4);
            float[] o = Registers.floats(4 * columns);
            float[] tileO = Registers.floats(planes == 2 ? 4 * columns : 1);
            float[] highest = Registers.floats(2);
            float[] factors = Registers.floats(2);
            float[] factorsBefore = Registers.floats(2);
            float[] sums = Registers.floats(2);
            int warpgroup = thread / WARPGROUP;
            int turnBarrier = Pipeline.other(shared, TURNS + warpgroup);
            int nextTurnBarrier = Pipeline.other(shared, TURNS + (warpgroup + 1) % consumers);
            // The first warpgroup's first turn is the end of a phase that never was.
            int turnParity = warpgroup == 0 ? 1 : 0;
            int count = Registers.opaque(tiles);
            float largest = 0f;
            int there = ranks > 0 ? -Sending.active(out) : 0;
            for (int item = context.groupIdx; item < items; item += blocks) {
                int head = item / queryBlocks;
                int firstGroup = (item - head * queryBlocks) * (queries / 8);
                MemoryBarrier.await(Pipeline.other(shared, QUERIES_FULL), itemsDone & 1);
                WarpgroupAttentionTile.loadQueries(q, queryRow, columns, planes, held);
                if (held == planes) {
                    Warp.sync();
                    MemoryBarrier.arriveIfZero(Pipeline.other(shared, QUERIES_EMPTY), lane);
                }
                Registers.clear(o);
                Registers.clear(sums);
                Registers.set(highest, 0, WarpgroupAttentionTile.LOWEST);
                Registers.set(highest, 1, WarpgroupAttentionTile.LOWEST);

                int at = Pipeline.stage(place, stages) * stageStep;
                Pipeline.awaitFull(shared, stages, place);
                Wgmma.fence();
                WarpgroupAttentionTile.multiplyKeys(s, q, query, key + at, keyPlanes + at, keys, columns, planes, held);
                Wgmma.commit();
                Wgmma.await(0);
                WarpgroupAttentionTile.mask(s, 0, keys, tokens, count == 1);
                WarpgroupAttentionTile.weigh(s, 0, sums, highest, factors, factorsBefore, keys, scale);
                WarpgroupAttentionTile.pack(p, 0, s, keys, planes);
                Pipeline.awaitFull(shared, stages, count > 1 ? Pipeline.next(place, stages) : place);
                for (int tile = 1; tile < count; tile++) {
                    int before = place;
                    place = Pipeline.next(place, stages);
                    int nextAt = Pipeline.stage(place, stages) * stageStep;
                    int valueAt = value + Pipeline.stage(before, stages) * stageStep;
                    if (turns == 1) {
                        MemoryBarrier.await(turnBarrier, turnParity);
                        turnParity = 1 - turnParity;
                    }
                    Wgmma.fence();
                    WarpgroupAttentionTile.multiplyKeys(
                            s, q, query, key + nextAt, keyPlanes + nextAt, keys, columns, planes, held);
                    Wgmma.commit();
                    WarpgroupAttentionTile.multiplyValues(o, tileO, p, valueAt, keys, columns, planes);
                    Wgmma.commit();
                    if (turns == 1) {
                        Warp.sync();
                        MemoryBarrier.arriveIfZero(nextTurnBarrier, lane);
                    }
                    Wgmma.await(1);
                    WarpgroupAttentionTile.mask(s, 0, keys, tokens, tile == count - 1);
                    WarpgroupAttentionTile.weigh(s, 0, sums, highest, factors, factorsBefore, keys, scale);
                    // For the next tile, here because the assembler takes the softmax past an await alone, out of the
                    // products' shadow. After the last one it waits for what is there.
                    Pipeline.awaitFull(shared, stages, tile < count - 1 ? Pipeline.next(place, stages) : place);
                    Wgmma.await(0);
                    Pipeline.leave(shared, stages, before, lane);
                    WarpgroupAttentionTile.join(o, tileO, factors, factorsBefore, columns, planes);
                    WarpgroupAttentionTile.pack(p, 0, s, keys, planes);
                }
                int last = value + Pipeline.stage(place, stages) * stageStep;
                Wgmma.fence();
                WarpgroupAttentionTile.multiplyValues(o, tileO, p, last, keys, columns, planes);
                Wgmma.commit();
                Wgmma.await(0);
                Pipeline.leave(shared, stages, place, lane);
                place = Pipeline.next(place, stages);
                if (planes == 2) {
                    WarpgroupAttentionTile.join(o, tileO, factors, factors, columns, planes);
                }
                if (held < planes) {
                    MemoryBarrier.arriveIfZero(Pipeline.other(shared, QUERIES_EMPTY), lane);
                }
                for (int half = 0; half < 2; half++) {
                    int group = firstGroup + thread / 32 * 2 + half;
                    if (ranks > 0 && (asked % queries == 0 || group < asked / 8)) {
                        largest = Sending.storeTokens(
                                out,
                                o,
                                sums,
                                half,
                                head / heads,
                                group,
                                head % heads * columns,
                                lane,
                                most,
                                asked,
                                heads,
                                columns,
                                Sending.number(outPlanes),
                                Sending.near(outPlanes),
                                there,
                                largest);
                    } else if (ranks == 0 && (asked % queries == 0 || group < asked / 8)) {
                        int rowGroup = head / heads * (asked / 8) + group;
                        int column = head % heads * columns;
                        largest = store(
                                out,
                                o,
                                sums,
                                0,
                                half,
                                rowGroup,
                                column,
                                lane,
                                most * asked,
                                columns,
                                outPlanes,
                                largest);
                    }
                }
                itemsDone++;
            }
            if (!(largest <= Packed.LARGEST)) {
                overflow.set(layer.get(0) * Overflow.KINDS + Overflow.ATTENTION, 1);
            }
            if (ranks > 0) {
                Warp.barrier(CONSUMERS_DONE, consumers * WARPGROUP);
                if (thread == 0) {
                    Sending.signal(out, Exchange.TOKENS, ranks, blocks, context.groupIdx);
                }
            }
        }
    }

    /** The producer: the queries of a work group, from a row of all heads on, once the ones before are read. */
    private static void copyQueries(
            int shared,
            IntArray qkv,
            int first,
            int queries,
            int stages,
            int tileBytes,
            int groupBytes,
            int itemsDone) {
        int full = Pipeline.other(shared, QUERIES_FULL);
        int bytes = queries / 8 * groupBytes;
        MemoryBarrier.await(Pipeline.other(shared, QUERIES_EMPTY), 1 - (itemsDone & 1));
        MemoryBarrier.arriveExpecting(full, bytes);
        int from = first / 8 * (groupBytes / 4);
        MemoryBarrier.copy(Pipeline.ring(shared) + stages * 2 * tileBytes, qkv, from, bytes, full);
    }

    /**
     * The producer: a head's keys and values into the ring, tile after tile.
     *
     * @param head of all that lie in the array
     * @param allHeads from its keys to its values
     */
    private static void fill(
            int shared,
            IntArray qkv,
            int head,
            int allHeads,
            int tokens,
            int keys,
            int stages,
            int tileBytes,
            int groupBytes,
            int start) {
        int headInts = tokens / 8 * (groupBytes / 4);
        int keysAt = head * headInts;
        int valuesAt = keysAt + allHeads * headInts;
        int count = Registers.opaque((tokens + keys - 1) / keys);
        int place = start;
        for (int tile = 0; tile < count; tile++) {
            int stage = Pipeline.stage(place, stages);
            int full = Pipeline.full(shared, stage);
            int to = Pipeline.ring(shared) + stage * (2 * tileBytes);
            int bytes = Math.min(keys, tokens - tile * keys) / 8 * groupBytes;
            Pipeline.awaitEmpty(shared, stages, place);
            place = Pipeline.next(place, stages);
            MemoryBarrier.arriveExpecting(full, 2 * bytes);
            MemoryBarrier.copy(to, qkv, keysAt + tile * (tileBytes / 4), bytes, full);
            MemoryBarrier.copy(to + tileBytes, qkv, valuesAt + tile * (tileBytes / 4), bytes, full);
        }
    }

    /** Writes one of a thread's two rows of tile m, 8 rows of a warp, as row {@code rowGroup} of 8x8 matrices; the largest magnitude. */
    static float store(
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
            int from = (m * columns + column) * 4 + half * 2;
            float x = Registers.get(o, from) * inverse;
            float y = Registers.get(o, from + 1) * inverse;
            largest = Packed.largest(largest, x, y);
            // A matrix's 32 pairs lie as a warp's lanes hold them.
            int at = Packed.index(rowGroup * 8, (firstColumn + column) * 8, paddedRows, planes) + lane;
            if (planes == Packed.MIXED) {
                Mixed.store(out, at, Mixed.slab(paddedRows), (firstColumn + column) % 2, x, y);
            } else {
                Packed.store(out, at, Packed.PLANE, x, y, planes);
            }
        }
        return largest;
    }
}
