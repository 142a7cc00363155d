package org.tornadodit.kernels;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.kernels.ptx.AtLaunch;
import org.tornadodit.kernels.ptx.BulkStore;
import org.tornadodit.kernels.ptx.Cluster;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.MemoryBarrier;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import org.tornadodit.kernels.ptx.Warp;
import org.tornadodit.kernels.ptx.Wgmma;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * torch.nn.Linear, {@code out(M,N) = x(M,K) W(N,K)^T}, and what follows it, on Hopper's tensor cores (sm_90a). Operands
 * are {@link Packed}: with two planes the products are as accurate as FP32's, with one they are products of halves, and what
 * lies between is {@link MixedProducts}'; sums are FP32 always.
 *
 * <p>A work group is one producer warpgroup, four threads of which copy pieces of both operands into a {@link Pipeline}, and
 * two consumers, which multiply 64 rows at a time. They share a tile, each having half of its rows, or take turns: one
 * multiplies while the other one is at what follows its product. As many work groups as the device has multiprocessors take
 * tile after tile, rows first in groups that stay in the second-level cache.
 *
 * <p>The tensor core truncates where it adds to an accumulator, an error that grows with the number of additions. With two
 * planes the sums of {@link #EXACT_K} products are therefore added up outside it, rounded to nearest.
 */
public final class TensorLinear {
    /** Threads of a work group: producer and consumers. */
    public static final int THREADS = 384;

    private static final int WARPGROUP = 128;
    private static final int CONSUMERS = 2;
    /** Rows of one instruction. */
    private static final int INSTRUCTION_ROWS = 64;
    /** k whose products are summed in the tensor core, three for each, before the sum is added outside. */
    public static final int EXACT_K = 192;

    private static final int MOST_STAGES = 8;
    /** Sums in a consumer's registers, with those outside the tensor core. */
    private static final int MOST_SUMS = 192;

    /** Columns of tiles that are weighed where they divide a product's: 3456 in 16 of 216, 1152 in 16 of 72. */
    private static final List<Integer> WHOLE_COLUMNS = List.of(216, 128, 72);

    /** The barrier of consumers that have stored all. */
    private static final int CONSUMERS_DONE = 1;

    /** Columns of a tile that is weighed where three products are to be made: 1024 x 3456 in two waves of 248. */
    private static final int MORE_COLUMNS = 112;

    /** Threads that copy. */
    private static final int PRODUCERS = 4;

    /**
     * Bytes a cycle that a multiprocessor gets copied into its shared memory, of arrays that begin at cache lines: measured on an H200, 48 to 70
     * with few rows, which the second-level cache holds with their weights, 26 to 34 with many.
     */
    private static final double CACHE_BYTES = 34;

    private static final double CACHE_BYTES_OF_FEW = 50;

    /** Rows of one plane that are few. */
    private static final int FEW_ROWS = 2048;

    /**
     * Floats of a residual that the second-level cache still holds, 16 MB: to ask for them costs a thread that copies as long as a copy.
     */
    private static final int CACHED_FLOATS = 4 << 20;

    /** Cycles an element of a tile that follow a product: measured on an H200, 0.17 with GELU, 0.16 of heads, 0.8 with a residual of many rows. */
    private static final double EPILOGUE_CYCLES = 0.2;

    /** Of a gate's chunk in layer 0, where it shares an int with the number of chunks. */
    static final int GATE_BITS = 8;

    private TensorLinear() {}

    /** Registers of a consumer's thread; with a producer's, and 256 and 128 threads, 64512 of 65536. */
    private static final int CONSUMER_REGISTERS = 240;

    private static final int PRODUCER_REGISTERS = 24;

    /**
     * A tile and its pieces.
     *
     * @param rows of a tile: 64, 128 or 256
     * @param columns of a tile: multiple of 8 up to 256, of 16 with {@link Packed#MIXED} operands
     * @param slabs of 16 k that a stage holds
     * @param turns 1 where consumers take turns at whole tiles, 0 where each has half of a tile's rows. Half a tile, or a whole
     *     one, is 64 rows; or 128 with one plane, and up to 192 columns: sums fill the registers
     * @param below 2 where two work groups are a cluster whose tiles lie below one another: each brings half of the weights for both;
     *     else 1
     * @param beside 2 where their tiles lie beside one another: each brings half of x for both, and the tiles of a row are even; else
     *     1, and one of the two is 1
     */
    public record Tile(int rows, int columns, int slabs, int turns, int below, int beside) implements ProductTile {
        /** A work group's tile that shares nothing. */
        public Tile(int rows, int columns, int slabs, int turns) {
            this(rows, columns, slabs, turns, 1, 1);
        }

        @Override
        public int code() {
            return rows | columns << 9 | slabs << 18 | turns << 24 | below << 25 | beside << 27;
        }

        /** Rows that a consumer has sums of at a time. */
        int consumerRows() {
            return turns == 1 ? rows : rows / CONSUMERS;
        }

        /**
         * @throws IllegalArgumentException when a consumer cannot have the sums of its rows
         */
        void check(int planes) {
            if (!isPossible(planes)) {
                throw new IllegalArgumentException(this + " with " + planes + " planes: a consumer has the sums of "
                        + consumerRows() + " rows and " + columns + " columns, it can have up to "
                        + mostConsumerRows(planes)
                        + " rows, and " + MOST_SUMS + " sums a thread");
            }
        }

        private boolean isPossible(int planes) {
            return (consumerRows() == INSTRUCTION_ROWS || consumerRows() == mostConsumerRows(planes))
                    && consumerRows() * columns * (planes == 2 ? 2 : 1) <= WARPGROUP * MOST_SUMS;
        }

        /** With two planes what would be the sums of 64 more rows are those outside the tensor core. */
        private static int mostConsumerRows(int planes) {
            return planes == 2 ? INSTRUCTION_ROWS : 2 * INSTRUCTION_ROWS;
        }

        private Tile withBelow() {
            return new Tile(rows, columns, slabs, turns, 2, 1);
        }

        private Tile withBeside() {
            return new Tile(rows, columns, slabs, turns, 1, 2);
        }

        /** Work groups of a cluster. */
        public int cluster() {
            return below * beside;
        }

        /** @throws IllegalArgumentException when the tiles of a row are odd, and two work groups share x */
        @Override
        public int blocks(int m, int n, int multiprocessors) {
            int columnTiles = Launch.ceilDiv(n, columns);
            if (columnTiles % beside != 0) {
                throw new IllegalArgumentException(n + " columns are " + columnTiles + " tiles: no pairs");
            }
            int together = Launch.ceilDiv(Launch.ceilDiv(m, rows), below) * (columnTiles / beside);
            return cluster() * Math.min(multiprocessors / cluster(), together);
        }

        @Override
        public int threads() {
            return THREADS;
        }

        @Override
        public int together() {
            return 1;
        }

        /** Where no residual follows; it leaves room for one or two less. */
        @Override
        public int stages(int planes) {
            return TensorLinear.stages(planes, rows, columns, slabs);
        }
    }

    /**
     * The tile for a shape where nothing is measured: the one whose waves over all multiprocessors take the fewest cycles.
     * The k of a stage divides K.
     */
    public static Tile tile(int planes, int m, int n, int k, int multiprocessors) {
        int most = Math.min(192, (n + 15) / 16 * 16);
        // Few rows: the weights decide, which come once.
        if (m <= INSTRUCTION_ROWS && planes != Packed.MIXED) {
            return new Tile(INSTRUCTION_ROWS, most, k % 32 == 0 ? 2 : 1, 1);
        }
        int mostRows = planes == 2 ? 128 : 256;
        Tile best = new Tile(mostRows, most, slabs(planes, mostRows, most, k), 0);
        for (Tile tile : candidates(planes, n, k)) {
            if (cycles(planes, m, n, k, tile, multiprocessors) < cycles(planes, m, n, k, best, multiprocessors)) {
                best = tile;
            }
        }
        int tiles = Launch.ceilDiv(m, best.rows()) * Launch.ceilDiv(n, best.columns());
        int products = planes == 2 ? 2 : 1;
        if (best.turns() == 1 || tiles < 2 * products * multiprocessors || multiprocessors % 2 == 1) {
            return best;
        }
        if (planes == 2) {
            return best.withBelow();
        }
        return Launch.ceilDiv(n, best.columns()) % 2 == 0 ? best.withBeside() : best;
    }

    /** Tiles without clusters whose sums a consumer's registers hold, in the order in which they are taken where they are as good. */
    private static List<Tile> candidates(int planes, int n, int k) {
        int most = Math.min(192, (n + 15) / 16 * 16);
        List<Integer> widths = new ArrayList<>();
        for (int columns = most; columns >= Math.min(most, 96); columns -= 48) {
            widths.add(columns);
        }
        if (planes == 2 && n > MORE_COLUMNS) {
            widths.add(MORE_COLUMNS);
        }
        for (int columns : WHOLE_COLUMNS) {
            if (n % columns == 0 && n > columns && planes != Packed.MIXED) {
                widths.add(columns);
            }
        }
        List<Tile> tiles = new ArrayList<>();
        for (int rows = planes == 2 ? 128 : 256; rows >= INSTRUCTION_ROWS; rows /= 2) {
            for (int columns : widths) {
                for (int turns = 0; turns <= (planes == Packed.MIXED ? 0 : 1); turns++) {
                    Tile tile = new Tile(rows, columns, slabs(planes, rows, columns, k), turns);
                    if (tile.isPossible(planes)) {
                        tiles.add(tile);
                    }
                }
            }
        }
        return tiles;
    }

    /** As many as leave the ring some stages, beside what a residual needs; sums outside the tensor core begin with a stage. */
    private static int slabs(int planes, int rows, int columns, int k) {
        if (planes == Packed.MIXED) {
            return k % 64 == 0 ? 4 : k % 32 == 0 ? 2 : 1;
        }
        int after = ResidualSum.bytes(columns, 4 * CONSUMERS);
        int slabs = planes == 2 ? 4 : 8;
        while (slabs > 1
                && (k % (16 * slabs) != 0
                        || Pipeline.stages(stageBytes(planes, rows, columns, slabs), MOST_STAGES, after)
                                < (planes == 2 ? 4 : 3))) {
            slabs /= 2;
        }
        return slabs;
    }

    /**
     * Cycles of 16 k of a tile. The tensor cores take columns / 2 of them for 64 rows; shared memory moves 128 bytes a cycle, and
     * each instruction reads both of its operands, which a copy has written before; copies bring {@link #CACHE_BYTES}
     * or {@link #CACHE_BYTES_OF_FEW}.
     */
    private static double cycles(int planes, int m, Tile tile) {
        int products = planes == Packed.MIXED ? 2 : planes == 2 ? 3 : 1;
        int instructions = products * tile.rows() / INSTRUCTION_ROWS;
        int tensorCores = instructions * tile.columns() / 2;
        int halves = Packed.halves(planes);
        int sharedMemory = instructions * (16 + tile.columns() / 4) + (tile.rows() + tile.columns()) * halves / 4;
        double bytes = planes == 1 && m <= FEW_ROWS ? CACHE_BYTES_OF_FEW : CACHE_BYTES;
        double cache = (tile.rows() / tile.beside() + tile.columns() / tile.below()) * 32 * halves / bytes;
        return Math.max(Math.max(tensorCores, sharedMemory), cache);
    }

    /**
     * As {@link #tile} counts them: cycles of (m, k) x (n, k) with a tile that may be another shape's. What follows a product is
     * hidden behind the other consumer's next one where they take turns, but for the last, which one of them does alone.
     */
    public static double cycles(int planes, int m, int n, int k, Tile tile, int multiprocessors) {
        int tiles = Launch.ceilDiv(m, tile.rows()) * Launch.ceilDiv(n, tile.columns());
        int waves = Launch.ceilDiv(tiles, multiprocessors);
        double after = EPILOGUE_CYCLES * tile.rows() * tile.columns();
        return waves * (k / 16.0) * cycles(planes, m, tile) + (tile.turns() == 1 ? 2 * after : waves * after);
    }

    /** Whether (M, K) x (N, K) is a shape that the kernel takes. */
    public static boolean takes(int n, int k) {
        return n % 8 == 0 && k % 16 == 0;
    }

    /** Ints of the stacked weights of {@code layers} layers, with what the last tile reads beyond them. */
    public static int weightSize(int layers, int n, int k, int planes) {
        return Math.addExact(
                Math.multiplyExact(layers, Math.multiplyExact(n, k / 2 * Packed.halves(planes))), beyond(planes));
    }

    /** Ints that the last tile reads beyond the weights. */
    public static int beyond(int planes) {
        return 256 * 8 * Packed.halves(planes);
    }

    private static int stages(int planes, int rows, int columns, int slabs) {
        return Pipeline.stages(stageBytes(planes, rows, columns, slabs), MOST_STAGES);
    }

    private static int stageBytes(int planes, int rows, int columns, int slabs) {
        return slabs * (rows + columns) * (Packed.eightRows(planes) / 2);
    }

    /**
     * The product and its epilogue. What is not said here is in {@link TensorLinearArguments}, which makes the task.
     *
     * @param gate the gate's array for {@link Epilogue#GATE_RESIDUAL}; any array otherwise
     * @param target (M, N) floats: where {@link Epilogue#BIAS} writes and GATE_RESIDUAL adds; any array otherwise
     * @param packed where {@link Epilogue#BIAS_GELU} writes an operand (M, N) and {@link Epilogue#BIAS_HEADS} the heads;
     *     any array otherwise
     * @param tile see {@link Tile#code}
     * @param epilogue a constant of {@link Epilogue}, one of the four above
     * @param heads for BIAS_HEADS; with who sends, where heads are sent, or else x comes, see {@link Sending#with}: the link
     *     is {@code packed} then
     * @param gatePlace for GATE_RESIDUAL: the gate's chunk in layer 0, and the chunks of a row above {@link #GATE_BITS}
     */
    public static void linear(
            KernelContext context,
            IntArray layer,
            IntArray batch,
            IntArray x,
            IntArray weight,
            FloatArray bias,
            FloatArray gate,
            FloatArray target,
            IntArray packed,
            IntArray overflow,
            @AtLaunch int m,
            int n,
            int k,
            int planes,
            int tile,
            @AtLaunch int blocks,
            int epilogue,
            int tokens,
            int heads,
            int gatePlace) {
        int ranks = Sending.ranks(heads);
        int rows = tile & 511;
        int columns = tile >> 9 & 511;
        int slabs = tile >> 18 & 63;
        int turns = tile >> 24 & 1;
        int below = tile >> 25 & 3;
        int beside = tile >> 27;
        int cluster = below * beside;
        int after = epilogue == Epilogue.GATE_RESIDUAL ? ResidualSum.bytes(columns, 4 * CONSUMERS) : 0;
        int stages = Pipeline.stages(stageBytes(planes, rows, columns, slabs), MOST_STAGES, after);
        int shared = SharedMemory.dynamic(Pipeline.bytes(stages, stageBytes(planes, rows, columns, slabs)) + after);
        int place = shared + Pipeline.bytes(stages, stageBytes(planes, rows, columns, slabs));
        SharedMemory.block(THREADS, 1);
        if (cluster > 1) {
            Cluster.blocks(cluster);
        }
        // Both are under way while barriers are made.
        int rowsNow = batch.get(Batch.PASSES) * tokens;
        int layerIndex = layer.get(0);
        int thread = context.localIdx;
        if (thread == 0) {
            Pipeline.initialize(shared, stages, (turns == 1 ? 4 : 4 * CONSUMERS) * cluster);
            for (int i = 0; i < CONSUMERS * turns; i++) {
                MemoryBarrier.initialize(Pipeline.other(shared, i), 4);
            }
            MemoryBarrier.fenceInitialization();
        }
        context.localBarrier();
        if (cluster > 1) {
            Cluster.sync();
        }

        int rowTiles = (rowsNow + rows - 1) / rows;
        int columnTiles = (n + columns - 1) / columns;
        // In tiles of whole clusters.
        int rowsTogether = (rowTiles + below - 1) / below;
        int columnsTogether = columnTiles / beside;
        int group = group(rowsTogether);
        int tiles = Registers.opaque(rowsTogether * columnsTogether);
        int rank = context.groupIdx % cluster;
        int stride = blocks / cluster;
        int steps = k / (16 * slabs) * Packed.slabs(planes);
        if (thread >= CONSUMERS * WARPGROUP) {
            Wgmma.decreaseRegisters(PRODUCER_REGISTERS);
            if (Warp.elect() == 1) {
                int part = thread / 32 - CONSUMERS * WARPGROUP / 32;
                if (epilogue != Epilogue.BIAS_HEADS && ranks > 0 && part % 2 == 0) {
                    Sending.await(packed, Exchange.TOKENS, ranks); // weights come meanwhile
                }
                int from = layerIndex * (n * (k / 2) * Packed.halves(planes));
                int next = 0;
                for (int i = context.groupIdx / cluster; i < tiles; i += stride) {
                    int rowTile = rowTile(i, group, columnsTogether) * below + rank % below;
                    // Where no tile is left for the last of a cluster, it has one that it does not store.
                    int row = (below > 1 ? Math.min(rowTile, rowTiles - 1) : rowTile) * rows;
                    int column = (columnTile(i, group, columnsTogether) * beside + rank / below) * columns;
                    fill(
                            shared,
                            x,
                            weight,
                            target,
                            from,
                            row,
                            column,
                            m,
                            n,
                            k,
                            planes,
                            rows,
                            columns,
                            slabs,
                            below,
                            beside,
                            rank,
                            part,
                            epilogue == Epilogue.GATE_RESIDUAL && rowsNow > CACHED_FLOATS / n ? rowsNow : 0,
                            stages,
                            next);
                    next = Pipeline.later(next, steps, stages);
                }
                if (cluster > 1) {
                    // Others arrive here until they have read the last stages, and need this memory for it.
                    for (int i = 0; i < stages; i++) {
                        Pipeline.awaitEmpty(shared, stages, next);
                        next = Pipeline.next(next, stages);
                    }
                }
            }
        } else {
            Wgmma.increaseRegisters(CONSUMER_REGISTERS);
            int parts = rows / INSTRUCTION_ROWS / (2 - turns);
            float[] sums = Registers.floats(columns / 2);
            float[] lower = Registers.floats(parts == 2 ? columns / 2 : 1);
            float[] products = Registers.floats(planes == 2 ? columns / 2 : 1);
            float[] biases = Registers.floats((columns + 31) / 32);
            float[] gates = Registers.floats((columns + 31) / 32);
            float factor = GlobalMemory.load(bias, layerIndex * (n + 1) + n);
            int consumer = thread / WARPGROUP;
            // What a consumer's tile, and its first row in a tile, are ahead of the other one's.
            int ahead = turns * consumer;
            int lead = (1 - turns) * consumer * (INSTRUCTION_ROWS * parts);
            int next = Pipeline.later(0, ahead * steps, stages);
            int turn = 1 - consumer;
            int sent = epilogue == Epilogue.BIAS_HEADS && ranks > 0 && Sending.active(packed) == 0 ? 0 : rowsNow;
            for (int i = context.groupIdx / cluster + ahead * stride; i < tiles; i += (1 + turns) * stride) {
                int row = (rowTile(i, group, columnsTogether) * below + rank % below) * rows;
                int column = (columnTile(i, group, columnsTogether) * beside + rank / below) * columns;
                // How long these take hides behind the product.
                TensorEpilogue.loadColumns(biases, bias, layerIndex * (n + 1), column, n, columns, thread);
                int chunk = layerIndex * LayerNorm.CHUNKS + gatePlace % (1 << GATE_BITS);
                int chunks = gatePlace >> GATE_BITS;
                if (epilogue == Epilogue.GATE_RESIDUAL && tokens % rows == 0) {
                    int gateRow = Math.min(row, rowsNow - 1) / tokens * chunks + chunk;
                    TensorEpilogue.loadColumns(gates, gate, gateRow * n, column, n, columns, thread);
                }
                if (turns == 1) {
                    // Also, a wait for a stage tells its phase from the next one only, so that the other one's come
                    // first.
                    MemoryBarrier.await(Pipeline.other(shared, consumer), turn & 1);
                }
                if (planes == Packed.MIXED) {
                    MixedProducts.multiply(
                            sums, lower, shared, thread, lead, k, rows, columns, slabs, stages, cluster, parts, next);
                } else {
                    multiply(
                            sums, lower, products, shared, thread, lead, k, planes, rows, columns, slabs, turns,
                            cluster, parts, stages, next);
                }
                next = Pipeline.later(next, (1 + turns) * steps, stages);
                turn++;
                int first = row + lead + thread % WARPGROUP / 32 * 16 + thread % 32 / 4;
                TensorEpilogue.addBias(sums, biases, factor, column, n, columns, thread);
                if (parts == 2) {
                    TensorEpilogue.addBias(lower, biases, factor, column, n, columns, thread);
                }
                if (epilogue == Epilogue.GATE_RESIDUAL && tokens % rows == 0) {
                    ResidualSum.gate(sums, gates, column, n, columns, thread);
                    if (parts == 2) {
                        ResidualSum.gate(lower, gates, column, n, columns, thread);
                    }
                } else if (epilogue == Epilogue.GATE_RESIDUAL) {
                    ResidualSum.gate(sums, gate, first, column, rowsNow, n, columns, thread, tokens, chunk, chunks);
                    if (parts == 2) {
                        ResidualSum.gate(
                                lower,
                                gate,
                                first + INSTRUCTION_ROWS,
                                column,
                                rowsNow,
                                n,
                                columns,
                                thread,
                                tokens,
                                chunk,
                                chunks);
                    }
                }
                // Not one method for all: TornadoVM inlines none of so many nodes.
                if (epilogue == Epilogue.GATE_RESIDUAL) {
                    ResidualSum.add(sums, place, target, first, column, rowsNow, n, columns, thread);
                    if (parts == 2) {
                        ResidualSum.add(
                                lower, place, target, first + INSTRUCTION_ROWS, column, rowsNow, n, columns, thread);
                    }
                } else if (epilogue == Epilogue.BIAS) {
                    TensorEpilogue.store(sums, 0, target, first, column, rowsNow, n, columns, thread);
                    if (parts == 2) {
                        TensorEpilogue.store(
                                lower, 0, target, first + INSTRUCTION_ROWS, column, rowsNow, n, columns, thread);
                    }
                } else if (epilogue == Epilogue.BIAS_HEADS && ranks > 0) {
                    Sending.storeHeads(
                            sums,
                            packed,
                            overflow,
                            layerIndex,
                            first,
                            column,
                            sent,
                            m,
                            n,
                            Packed.halves(planes),
                            columns,
                            thread,
                            tokens,
                            Sending.number(heads),
                            ranks,
                            Sending.near(heads));
                    if (parts == 2) {
                        Sending.storeHeads(
                                lower,
                                packed,
                                overflow,
                                layerIndex,
                                first + INSTRUCTION_ROWS,
                                column,
                                sent,
                                m,
                                n,
                                Packed.halves(planes),
                                columns,
                                thread,
                                tokens,
                                Sending.number(heads),
                                ranks,
                                Sending.near(heads));
                    }
                } else {
                    TensorEpilogue.storeHalves(
                            sums,
                            0,
                            packed,
                            overflow,
                            layerIndex,
                            first,
                            column,
                            rowsNow,
                            m,
                            n,
                            planes,
                            columns,
                            thread,
                            epilogue,
                            tokens,
                            heads);
                    if (parts == 2) {
                        TensorEpilogue.storeHalves(
                                lower,
                                0,
                                packed,
                                overflow,
                                layerIndex,
                                first + INSTRUCTION_ROWS,
                                column,
                                rowsNow,
                                m,
                                n,
                                planes,
                                columns,
                                thread,
                                epilogue,
                                tokens,
                                heads);
                    }
                }
            }
            if (epilogue == Epilogue.GATE_RESIDUAL) {
                BulkStore.awaitReads(0);
            }
            if (epilogue == Epilogue.BIAS_HEADS && ranks > 0) {
                Warp.barrier(CONSUMERS_DONE, CONSUMERS * WARPGROUP);
                if (thread == 0) {
                    Sending.signal(packed, Exchange.HEADS, ranks, blocks, context.groupIdx);
                }
            }
        }
    }

    /**
     * Of how many row tiles, as a power of two, one after the other is taken before the next column's: it divides their number, so that one
     * division finds a tile.
     */
    static int group(int rowTiles) {
        return rowTiles % 16 == 0 ? 4 : rowTiles % 8 == 0 ? 3 : rowTiles % 4 == 0 ? 2 : rowTiles % 2 == 0 ? 1 : 0;
    }

    static int rowTile(int tile, int group, int columnTiles) {
        return ((tile >> group) / columnTiles << group) + (tile & (1 << group) - 1);
    }

    static int columnTile(int tile, int group, int columnTiles) {
        int column = tile >> group;
        return column - column / columnTiles * columnTiles;
    }

    /**
     * A producer: copies its part of a tile's operands into the ring, stage after stage. What one thread takes for a copy is more than
     * what the copy takes, so that there are four, in warps of their own: two for either operand.
     *
     * @param part 0 to 3; the first says how much will come
     * @param residualRows rows of {@code target} that come into the second-level cache meanwhile, since they are read after the product; 0
     *     where none are, or where they are there already
     */
    private static void fill(
            int shared,
            IntArray x,
            IntArray weight,
            FloatArray target,
            int from,
            int row,
            int column,
            int m,
            int n,
            int k,
            int planes,
            int rows,
            int columns,
            int slabs,
            int below,
            int beside,
            int rank,
            int part,
            int residualRows,
            int stages,
            int first) {
        int stageBytes = stageBytes(planes, rows, columns, slabs);
        int padded = (m + Packed.ROWS - 1) / Packed.ROWS * Packed.ROWS;
        // A tile of more rows than the padding allows for: the rows behind stay as they were, and nobody stores them.
        int rowBytes = Packed.eightRows(planes) / 2;
        int xBytes = rows <= Packed.ROWS ? rows * rowBytes : Math.min(rows, padded - row) * rowBytes;
        int xSlab = padded * rowBytes / 4;
        int weightSlab = n * rowBytes / 4;
        int xFrom = row * rowBytes / 4;
        int weightFrom = from + column * rowBytes / 4;
        int half = k / (16 * slabs);
        int steps = Registers.opaque(half * Packed.slabs(planes));
        int place = first;
        for (int step = 0; step < steps; step++) {
            int stage = Pipeline.stage(place, stages);
            int full = Pipeline.full(shared, stage);
            int to = Pipeline.ring(shared) + stage * stageBytes;
            Pipeline.awaitEmpty(shared, stages, place);
            place = Pipeline.next(place, stages);
            if (part == 0) {
                MemoryBarrier.arriveExpecting(full, slabs * (xBytes + columns * rowBytes));
            }
            for (int i = 0; i < (slabs + 1) / 2; i++) {
                int s = part / 2 + 2 * i;
                if (slabs % 2 == 0 || s < slabs) {
                    int slab = planes == Packed.MIXED ? mixedSlab(step, half, slabs, s) : step * slabs + s;
                    if (part % 2 == 0) {
                        copy(
                                to + s * (rows * rowBytes),
                                x,
                                xFrom + slab * xSlab,
                                xBytes,
                                full,
                                rows * rowBytes,
                                beside,
                                rank / below,
                                below,
                                rank % below);
                    } else {
                        copy(
                                to + slabs * (rows * rowBytes) + s * (columns * rowBytes),
                                weight,
                                weightFrom + slab * weightSlab,
                                columns * rowBytes,
                                full,
                                columns * rowBytes,
                                below,
                                rank % below,
                                1,
                                rank / below * below);
                    }
                }
            }
            int nearer = rows / PRODUCERS / (half * Packed.slabs(planes)) + 1;
            for (int i = 0; i < nearer; i++) {
                int next = (step * nearer + i) * PRODUCERS + part;
                if (next < rows && row + next < residualRows) {
                    GlobalMemory.prefetch(target, (row + next) * n + column, Math.min(columns, n - column) * 4);
                }
            }
        }
    }

    /** hi8 and lo8 of all k, the odd slabs, then hi. */
    private static int mixedSlab(int step, int half, int slabs, int s) {
        return step < half ? 2 * (step * slabs + s) + 1 : 2 * ((step - half) * slabs + s);
    }

    /**
     * A consumer: its rows of a tile, over all of K.
     *
     * @param sums of 64 rows, {@code lower} of 64 more if there are two parts
     * @param products of a few k at a time, with two planes
     * @param below the consumer's first row in the tile
     */
    private static void multiply(
            float[] sums,
            float[] lower,
            float[] products,
            int shared,
            int thread,
            int below,
            int k,
            int planes,
            int rows,
            int columns,
            int slabs,
            int turns,
            int cluster,
            int parts,
            int stages,
            int first) {
        int stageBytes = stageBytes(planes, rows, columns, slabs);
        int matrices = 256 * planes;
        int a = Wgmma.descriptor(Pipeline.ring(shared) + below / 8 * matrices, 128);
        int b = Wgmma.descriptor(Pipeline.ring(shared) + slabs * rows * 32 * planes, 128);
        int lane = thread % 32;
        int steps = Registers.opaque(k / (16 * slabs));
        int exactSteps = planes == 2 ? EXACT_K / (16 * slabs) : steps;
        // Clearing also says that the registers are free until here.
        Registers.clear(sums);
        Registers.clear(lower);
        Registers.clear(products);
        int place = first;
        for (int start = 0; start < steps; start += exactSteps) {
            int end = Math.min(start + exactSteps, steps);
            for (int step = start; step < end; step++) {
                int offset = Pipeline.stage(place, stages) * (stageBytes / 16);
                Pipeline.awaitFull(shared, stages, place);
                Wgmma.fence();
                for (int s = 0; s < slabs; s++) {
                    int aSlab = a + offset + s * (rows * 2 * planes);
                    int bSlab = b + offset + s * (columns * 2 * planes);
                    if (planes == 2) {
                        int more = s > 0 ? 1 : step - start;
                        Wgmma.multiply(products, aSlab + 16, bSlab, matrices, matrices, columns, more);
                        Wgmma.multiply(products, aSlab, bSlab + 16, matrices, matrices, columns);
                        Wgmma.multiply(products, aSlab, bSlab, matrices, matrices, columns);
                    } else {
                        Wgmma.multiply(sums, aSlab, bSlab, matrices, matrices, columns);
                        if (parts == 2) {
                            Wgmma.multiply(lower, aSlab + matrices / 2, bSlab, matrices, matrices, columns);
                        }
                    }
                }
                Wgmma.commit();
                Wgmma.await(1);
                // The stage before this one is read; the one before the first of these steps was left already.
                int before = Pipeline.before(place, stages);
                leave(shared, stages, before, Math.max(lane, cluster * (1 - (step - start))), cluster);
                place = Pipeline.next(place, stages);
            }
            if (turns == 1) { // after the last steps' multiplications, before they are done
                int other = 1 - thread / WARPGROUP;
                MemoryBarrier.arriveIfZero(Pipeline.other(shared, other), Math.max(lane, Math.min(1, steps - end)));
            }
            Wgmma.await(0);
            leave(shared, stages, Pipeline.before(place, stages), lane, cluster);
            if (planes == 2) {
                Registers.add(sums, products);
            }
        }
    }

    /**
     * A piece that {@code sharers} work groups of a cluster need, each of which copies a part of it for all of them.
     *
     * @param bytes that are there of {@code most}, a constant
     * @param share the part that this work group copies
     * @param apart how far the sharers' ranks are from each other, and {@code first} the lowest of them
     */
    private static void copy(
            int to,
            IntArray source,
            int from,
            int bytes,
            int full,
            int most,
            int sharers,
            int share,
            int apart,
            int first) {
        if (sharers == 1) {
            MemoryBarrier.copy(to, source, from, bytes, full);
        } else {
            int part = most / sharers;
            int ranks = (1 | 1 << apart) << first;
            for (int i = 0; i < sharers; i++) {
                int partBytes = Math.min(part, bytes - i * part);
                Cluster.copy(
                        to + i * part,
                        source,
                        from + i * (part / 4),
                        partBytes,
                        full,
                        ranks,
                        share == i && partBytes > 0 ? 1 : 0);
            }
        }
    }

    static void leave(int shared, int stages, int place, int lane, int cluster) {
        if (cluster > 1) {
            Pipeline.leaveInCluster(shared, stages, place, lane, cluster);
        } else {
            Pipeline.leave(shared, stages, place, lane);
        }
    }
}
