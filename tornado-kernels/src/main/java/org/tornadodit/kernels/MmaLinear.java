package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What {@link TensorLinear} computes, from the same operands and with the same epilogues, by the tensor cores' instructions of a
 * warp (mma.sync), which every NVIDIA GPU from Volta on has.
 *
 * <p>A work group's warps share a tile; all of them copy pieces of both operands into a ring of stages in shared memory,
 * a few stages ahead, across the end of a tile, too. In Ampere's form a
 * slab's operands come into registers while the slab before is multiplied, across the barrier, too: without, loads and products of
 * all warps take turns. One or two work groups a multiprocessor take tile after tile, rows
 * first in groups that stay in the second-level cache.
 *
 * <p>As in {@link TensorLinear}, with two planes the sums of {@link TensorLinear#EXACT_K} products are added up outside the tensor
 * core, which truncates.
 */
public final class MmaLinear {
    private static final int LANES = 32;
    /** Rows of one instruction. */
    private static final int ROWS = 16;
    /** Bytes of an 8x8 matrix of halves. */
    private static final int MATRIX = 128;
    /** Bytes of the second-level cache that a multiprocessor gets in a cycle, when all of them copy. */
    private static final double CACHE_BYTES = 30;

    private MmaLinear() {}

    /**
     * A tile and its pieces.
     *
     * @param rows of a tile: a multiple of 16 that divides {@link Packed#ROWS}
     * @param columns of a tile: multiple of 16 up to 256
     * @param warpRows warps along the rows, of 16 rows or a multiple each
     * @param warpColumns warps along the columns, of 16 columns or a multiple each
     * @param slabs of 16 k that a stage holds
     * @param stages in shared memory: 2 where the form copies through registers
     * @param form of the instructions
     */
    public record Tile(int rows, int columns, int warpRows, int warpColumns, int slabs, int stages, MmaForm form)
            implements ProductTile {

        /**
         * Whether operands come into registers a slab ahead of their products, which takes two sets of registers, and a stage more for
         * what is read of the next one.
         */
        boolean ahead() {
            return form == MmaForm.AMPERE && slabs % 2 == 0 && stages > 2;
        }

        @Override
        public int code() {
            return rows / 16
                    | columns / 16 << 5
                    | warpRows << 10
                    | warpColumns << 14
                    | slabs << 18
                    | stages << 22
                    | form.code() << 26
                    | (ahead() ? 1 : 0) << 28;
        }

        @Override
        public int threads() {
            return LANES * warpRows * warpColumns;
        }

        @Override
        public int together() {
            return MmaLinear.together(warpRows * warpColumns);
        }

        @Override
        public int stages(int planes) {
            return stages;
        }

        /** Bytes of shared memory of a work group. */
        public int sharedBytes(int planes) {
            return MmaLinear.sharedBytes(planes, rows, columns, warpRows, warpColumns, slabs, stages, form.code());
        }
    }

    /** Work groups of a multiprocessor: eight warps fill its registers. */
    private static int together(int warps) {
        return warps <= 4 ? 2 : 1;
    }

    private static int sharedBytes(
            int planes, int rows, int columns, int warpRows, int warpColumns, int slabs, int stages, int form) {
        return stages * stageBytes(planes, rows, columns, slabs)
                + MmaTile.scratch(warpRows * warpColumns, form)
                + ownResiduals(planes, rows, columns, warpRows, warpColumns, slabs, form);
    }

    /** Bytes by which {@link MmaEpilogue} goes beyond a stage, which is its own otherwise. */
    private static int ownResiduals(
            int planes, int rows, int columns, int warpRows, int warpColumns, int slabs, int form) {
        int bytes = warpRows * warpColumns * MmaEpilogue.scratch(columns / warpColumns);
        return form != MmaTile.AMPERE || bytes <= stageBytes(planes, rows, columns, slabs) ? 0 : bytes;
    }

    private static int stageBytes(int planes, int rows, int columns, int slabs) {
        return slabs * (rows + columns) * 32 * planes;
    }

    /**
     * Cycles of (m, k) x (n, k) on the busiest multiprocessor. The tensor cores of one do 1024 multiply-adds a cycle, half of it
     * before Ampere; shared memory moves 128 bytes, and each warp reads the operands of its part, which a copy has written before;
     * the second-level cache gives {@link #CACHE_BYTES}.
     */
    static double cycles(int planes, int m, int n, int k, Tile tile, int multiprocessors) {
        int rate = tile.form == MmaForm.AMPERE ? 1024 : 512;
        double tensorCores = (planes == 2 ? 3.0 : 1.0) * tile.rows * tile.columns * 16 / rate;
        // On Volta two quarters of a warp read the same.
        int reads =
                (tile.form == MmaForm.VOLTA ? 2 : 1) * (tile.rows * tile.warpColumns + tile.columns * tile.warpRows);
        double sharedMemory = (reads + tile.rows + tile.columns) * planes / 4.0;
        double copies = (tile.rows + tile.columns) * 32 * planes / CACHE_BYTES;
        int tiles = Launch.ceilDiv(m, tile.rows) * Launch.ceilDiv(n, tile.columns);
        return k
                / 16.0
                * Launch.ceilDiv(tiles, multiprocessors)
                * Math.max(tensorCores, Math.max(sharedMemory, copies));
    }

    /** As {@link TensorLinear#linear}, but for {@code tile}: see {@link Tile#code}. */
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
        int rows = (tile & 31) * 16;
        int columns = (tile >> 5 & 31) * 16;
        int warpRows = tile >> 10 & 15;
        int warpColumns = tile >> 14 & 15;
        int slabs = tile >> 18 & 15;
        int stages = tile >> 22 & 15;
        int form = tile >> 26 & 3;
        boolean ahead = (tile >> 28 & 1) == 1;
        int threads = LANES * warpRows * warpColumns;
        int stageBytes = stageBytes(planes, rows, columns, slabs);
        int shared =
                SharedMemory.dynamic(sharedBytes(planes, rows, columns, warpRows, warpColumns, slabs, stages, form));
        SharedMemory.block(threads, together(warpRows * warpColumns));
        int thread = context.localIdx;
        int lane = thread % LANES;
        int warp = thread / LANES;
        // A warp's part of the tile.
        int partRows = rows / warpRows;
        int partColumns = columns / warpColumns;
        int below = warp / warpColumns * partRows;
        int right = warp % warpColumns * partColumns;

        int rowsNow = batch.get(Batch.PASSES) * tokens;
        int rowTiles = (rowsNow + rows - 1) / rows;
        int columnTiles = (n + columns - 1) / columns;
        int group = TensorLinear.group(rowTiles);
        int tiles = Registers.opaque(rowTiles * columnTiles);
        int layerIndex = layer.get(0);
        int steps = Registers.opaque(k / (16 * slabs));
        int exactSteps = planes == 2 ? TensorLinear.EXACT_K / (16 * slabs) : steps;

        int xSlab = (m + Packed.ROWS - 1) / Packed.ROWS * Packed.ROWS * 8 * planes;
        int weightSlab = n * 8 * planes;
        int weightFrom = layerIndex * (n * (k / 2) * planes);
        // Where the next copy is: a tile, and a step of it.
        int next = context.groupIdx;
        int nextStep = 0;
        int nextTile = Math.max(0, Math.min(next, tiles - 1));
        int xAt = xAt(nextTile, group, columnTiles, rows, planes) + thread * 4;
        int weightAt = weightFrom + weightAt(nextTile, group, columnTiles, columns, planes) + thread * 4;
        for (int stage = 0; stage < stages - 1; stage++) {
            int to = shared + stage * stageBytes;
            MmaCopies.copyStage(
                    to,
                    x,
                    xAt,
                    xSlab,
                    rows,
                    weight,
                    weightAt,
                    weightSlab,
                    columns,
                    thread,
                    threads,
                    planes,
                    slabs,
                    form);
            xAt += slabs * xSlab;
            weightAt += slabs * weightSlab;
            nextStep++;
            if (nextStep == steps) {
                nextStep = 0;
                next += blocks;
                nextTile = Math.max(0, Math.min(next, tiles - 1));
                xAt = xAt(nextTile, group, columnTiles, rows, planes) + thread * 4;
                weightAt = weightFrom + weightAt(nextTile, group, columnTiles, columns, planes) + thread * 4;
            }
        }

        float[] sums = Registers.floats(partRows / ROWS * (partColumns / 2));
        float[] products = Registers.floats(planes == 2 ? partRows / ROWS * (partColumns / 2) : 1);
        int xFrom = shared + below * 32 * planes + MmaTile.left(lane, 2 * MATRIX * planes, MATRIX, form);
        int weightsFrom = shared
                + slabs * rows * 32 * planes
                + right * 32 * planes
                + MmaTile.right(lane, 2 * MATRIX * planes, MATRIX, form);
        int perX = MmaCopies.pieces(rows, planes, threads);
        int perWeight = MmaCopies.pieces(columns, planes, threads);
        int[] staged = Registers.ints(form == MmaTile.AMPERE ? 1 : slabs * (perX + perWeight) * 4);
        int leftSize = partRows / ROWS * planes * MmaTile.registers(form);
        int rightSize = planes * MmaTile.registers(form);
        int early = MmaProducts.early(partColumns, planes);
        int[] xs = Registers.ints(ahead ? 2 * leftSize : 1);
        int[] weights = Registers.ints(ahead ? 2 * early * rightSize : 1);
        int[] late = Registers.ints(ahead ? rightSize : 1);
        if (ahead) {
            MmaTile.await(stages - 2, form);
            context.localBarrier();
            MmaProducts.load(xs, 0, xFrom, partRows / ROWS, planes, form);
            MmaProducts.load(weights, 0, weightsFrom, early, planes, form);
        }
        int stage = 0;
        for (int i = context.groupIdx; i < tiles; i += blocks) {
            int tileRow = TensorLinear.rowTile(i, group, columnTiles) * rows;
            int tileColumn = TensorLinear.columnTile(i, group, columnTiles) * columns;
            // What is added to the products comes nearer beside them: a warp's row a step, 8 columns a lane. Lanes and
            // rows of none ask
            // for the last row's or column's again.
            int nearer = (tileRow + warp) * n + Math.min(tileColumn + lane * 8, n - 1);
            Registers.clear(sums);
            for (int start = 0; start < steps; start += exactSteps) {
                int end = Math.min(start + exactSteps, steps);
                Registers.clear(products);
                for (int step = start; step < end; step++) {
                    if (!ahead) {
                        MmaTile.await(stages - 2, form);
                        context.localBarrier();
                    }
                    int to = shared + (stage == 0 ? stages - 1 : stage - 1) * stageBytes;
                    boolean more = next < tiles;
                    if (form != MmaTile.AMPERE && more) {
                        MmaCopies.fetch(staged, 0, x, xAt, xSlab, thread, threads, rows, planes, slabs);
                        MmaCopies.fetch(
                                staged,
                                slabs * perX,
                                weight,
                                weightAt,
                                weightSlab,
                                thread,
                                threads,
                                columns,
                                planes,
                                slabs);
                    } else if (form == MmaTile.AMPERE && !ahead) {
                        MmaCopies.copyStage(
                                to,
                                x,
                                xAt,
                                xSlab,
                                rows,
                                weight,
                                weightAt,
                                weightSlab,
                                columns,
                                thread,
                                threads,
                                planes,
                                slabs,
                                form);
                    }
                    if (form == MmaTile.AMPERE && epilogue == Epilogue.GATE_RESIDUAL) {
                        int r = step * (threads / LANES);
                        GlobalMemory.prefetchIfNegative(
                                target, Math.min(nearer + r * n, rowsNow * n - 1), r - (rows - threads / LANES + 1));
                    }
                    int a = xFrom + stage * stageBytes;
                    int b = weightsFrom + stage * stageBytes;
                    stage = stage == stages - 1 ? 0 : stage + 1;
                    int nextA = xFrom + stage * stageBytes;
                    int nextB = weightsFrom + stage * stageBytes;
                    for (int s = 0; s < slabs; s++) {
                        int now = s % 2;
                        boolean last = s == slabs - 1;
                        for (int j = 0; j < partColumns / 16 && ahead; j++) {
                            int[] columnsOf = j < early ? weights : late;
                            int r = j < early ? (now * early + j) * rightSize : 0;
                            if (j >= early) {
                                int from = b + s * (columns * 32 * planes) + j * (4 * MATRIX * planes);
                                MmaProducts.load(late, 0, from, 1, planes, form);
                            }
                            if (j == MmaProducts.pause(partColumns, planes)) {
                                int fromA = last ? nextA : a + (s + 1) * (rows * 32 * planes);
                                int fromB = last ? nextB : b + (s + 1) * (columns * 32 * planes);
                                MmaProducts.load(xs, (1 - now) * leftSize, fromA, partRows / ROWS, planes, form);
                                MmaProducts.load(weights, (1 - now) * early * rightSize, fromB, early, planes, form);
                            }
                            // Nothing is read any more of the stage before, which is filled again; the next one, of
                            // which the last
                            // slab reads, is there.
                            if (s == 0 && j == MmaProducts.turn(partColumns, planes)) {
                                MmaTile.await(stages - 3, form);
                                context.localBarrier();
                                MmaCopies.copyStage(
                                        to,
                                        x,
                                        xAt,
                                        xSlab,
                                        rows,
                                        weight,
                                        weightAt,
                                        weightSlab,
                                        columns,
                                        thread,
                                        threads,
                                        planes,
                                        slabs,
                                        form);
                            }
                            MmaProducts.multiply(
                                    planes == 2 ? products : sums,
                                    j,
                                    xs,
                                    now * leftSize,
                                    columnsOf,
                                    r,
                                    partRows,
                                    partColumns,
                                    planes,
                                    form);
                        }
                        if (!ahead && planes == 2) {
                            MmaProducts.multiplySplit(
                                    products, a + s * (rows * 64), b + s * (columns * 64), partRows, partColumns, form);
                        } else if (!ahead) {
                            MmaProducts.multiply(
                                    sums, a + s * (rows * 32), b + s * (columns * 32), partRows, partColumns, form);
                        }
                        // Between two slabs, since this branch ends a piece of code: the assembler orders products past
                        // a barrier,
                        // up to the piece's end, and the loads behind it after them.
                        if (s == 0) {
                            xAt += slabs * xSlab;
                            weightAt += slabs * weightSlab;
                            nextStep++;
                            if (nextStep == steps) {
                                nextStep = 0;
                                next += blocks;
                                nextTile = Math.max(0, Math.min(next, tiles - 1));
                                xAt = xAt(nextTile, group, columnTiles, rows, planes) + thread * 4;
                                weightAt = weightFrom
                                        + weightAt(nextTile, group, columnTiles, columns, planes)
                                        + thread * 4;
                            }
                        }
                    }
                    if (form != MmaTile.AMPERE && more) {
                        int toWeight = to + slabs * rows * 32 * planes;
                        MmaCopies.put(staged, 0, to, thread, threads, rows, planes, slabs);
                        MmaCopies.put(staged, slabs * perX, toWeight, thread, threads, columns, planes, slabs);
                    }
                }
                if (planes == 2) {
                    Registers.add(sums, products);
                }
            }
            int column = tileColumn + right;
            int row = tileRow + below + lane / 4;
            if (form == MmaTile.VOLTA) {
                int scratch = shared + stages * stageBytes + warp * MmaTile.ARRANGED;
                MmaTile.arrange(sums, 0, partRows / ROWS * (partColumns / 16), scratch, lane, form);
            }
            boolean byRows = epilogue == Epilogue.GATE_RESIDUAL && form == MmaTile.AMPERE;
            int own = ownResiduals(planes, rows, columns, warpRows, warpColumns, slabs, form);
            if (byRows && own == 0 && !(planes == 1 && ahead && slabs == 2)) {
                // All have read the last stage: else the barrier in it comes after they have.
                context.localBarrier();
            }
            // A warp may have none of the columns; opaque as TensorEpilogue's. Where all have, no branch that may
            // divide a warp.
            if (TensorEpilogue.isWhole(n, columns) || Registers.opaque(column) < n) {
                int parts = partRows / ROWS;
                int chunk = layerIndex * LayerNorm.CHUNKS + gatePlace % (1 << TensorLinear.GATE_BITS);
                int chunks = gatePlace >> TensorLinear.GATE_BITS;
                MmaEpilogue.addBias(sums, parts, bias, layerIndex, n, column, partColumns, thread);
                if (byRows) {
                    int residuals = own > 0
                            ? shared + stages * stageBytes + MmaTile.scratch(warpRows * warpColumns, form)
                            : shared + (stage == 0 ? stages - 1 : stage - 1) * stageBytes;
                    MmaEpilogue.storeGated(
                            sums,
                            parts,
                            gate,
                            target,
                            residuals + warp * MmaEpilogue.scratch(partColumns),
                            tileRow + below,
                            column,
                            rowsNow,
                            n,
                            partColumns,
                            lane,
                            tokens,
                            chunk,
                            chunks,
                            rows);
                }
                if (epilogue == Epilogue.GATE_RESIDUAL && !byRows) {
                    MmaPairsEpilogue.storeGated(
                            sums,
                            parts,
                            gate,
                            target,
                            row,
                            column,
                            rowsNow,
                            n,
                            partColumns,
                            thread,
                            tokens,
                            chunk,
                            chunks,
                            rows);
                }
                for (int part = 0; part < parts && epilogue != Epilogue.GATE_RESIDUAL; part++) {
                    int register = part * (partColumns / 2);
                    int first = row + part * ROWS;
                    if (epilogue == Epilogue.BIAS) {
                        TensorEpilogue.store(sums, register, target, first, column, rowsNow, n, partColumns, thread);
                    } else {
                        TensorEpilogue.storeHalves(
                                sums,
                                register,
                                packed,
                                overflow,
                                layerIndex,
                                first,
                                column,
                                rowsNow,
                                m,
                                n,
                                planes,
                                partColumns,
                                thread,
                                epilogue,
                                tokens,
                                heads);
                    }
                }
            }
        }
        // Copies past the last tile are under way.
        MmaTile.await(0, form);
    }

    /** Where a tile's rows are in the first slab of x. */
    private static int xAt(int tile, int group, int columnTiles, int rows, int planes) {
        return TensorLinear.rowTile(tile, group, columnTiles) * rows * 8 * planes;
    }

    /** Where a tile's columns are in the first slab of a layer's weights. */
    private static int weightAt(int tile, int group, int columnTiles, int columns, int planes) {
        return TensorLinear.columnTile(tile, group, columnTiles) * columns * 8 * planes;
    }
}
