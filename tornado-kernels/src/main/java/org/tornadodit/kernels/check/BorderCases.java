package org.tornadodit.kernels.check;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.tornadodit.kernels.ConvolutionShape;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.kernels.GroupStatistics;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.MmaForm;
import org.tornadodit.kernels.MmaLinear;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.PackedLayerNorm;
import org.tornadodit.kernels.PackedMap;
import org.tornadodit.kernels.ProductTile;
import org.tornadodit.kernels.TensorConv2d;
import org.tornadodit.kernels.TensorCores;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.kernels.TensorLinear.Tile;
import org.tornadodit.kernels.TensorVariants;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.WarpgroupAttention.Tiling;
import uk.ac.manchester.tornado.api.WorkerGrid;

/**
 * The tensor cores' kernels at sizes that come from a rule: {@link TensorLinear} and {@link TensorConv2d} around the borders of
 * every registered tile and of the rounds of their loops, the others around theirs: as much as fits, and one step less and
 * more, with every epilogue.
 */
final class BorderCases {
    private static final int TOKENS = 8;
    private static final int HEAD_SIZE = 24;
    private static final int MOST_TOKENS = 1024;
    /** More than the work groups of any case. */
    private static final int MANY = 1 << 20;

    private BorderCases() {}

    static List<Supplier<KernelCase>> all() {
        List<Supplier<KernelCase>> cases = new ArrayList<>();
        for (int planes = 1; planes <= 2; planes++) {
            linear(cases, planes);
            attention(cases, planes);
            mma(cases, planes);
            packing(cases, planes);
            layerNorm(cases, planes);
            maps(cases, planes);
            for (int taps = 1; taps <= 3; taps++) {
                convolution(cases, taps, planes);
            }
        }
        statistics(cases);
        return cases;
    }

    private static void linear(List<Supplier<KernelCase>> cases, int planes) {
        for (Tile tile : TensorVariants.tiles(planes)) {
            for (int step : Borders.STEPS) {
                add(cases, tile.rows(), step, tile, planes);
                // Rounds of the ring, and of sums that are added up outside the tensor core.
                int k = 16 * tile.slabs();
                for (int rounds : new TreeSet<>(List.of(tile.stages(planes), Math.max(2, TensorLinear.EXACT_K / k)))) {
                    cases.add(() -> linear(
                            TOKENS, columns(tile, 0, 8), k * (rounds + step), Epilogue.BIAS, TOKENS, planes, tile));
                }
            }
            if (tile.rows() > Packed.ROWS) { // the padding is no multiple of the tile
                add(cases, tile.rows() + Packed.ROWS, 0, tile, planes);
            }
        }
    }

    /** {@link MmaLinear} around the borders of every tile in Ampere's form and of the first in the others, epilogues in turn. */
    private static void mma(List<Supplier<KernelCase>> cases, int planes) {
        int[] epilogues = {Epilogue.BIAS, Epilogue.BIAS_GELU, Epilogue.GATE_RESIDUAL, Epilogue.BIAS_HEADS};
        int turn = 0;
        for (MmaForm form : MmaForm.values()) {
            TensorCores cores = TensorCores.Warps.of(form, TensorCases.MULTIPROCESSORS, 8, 0);
            List<Variant> variants = cores.linear(MOST_TOKENS, MOST_TOKENS, MOST_TOKENS, planes);
            for (Variant variant : form == MmaForm.AMPERE ? variants : variants.subList(0, 1)) {
                ProductTile tile = cores.tile(variant);
                for (int step : Borders.STEPS) {
                    int epilogue = epilogues[turn % epilogues.length];
                    int rows = tile.rows() + TOKENS * step;
                    // As many as the epilogue takes: of heads, or of operands.
                    int unit = epilogue == Epilogue.BIAS_HEADS ? 24 : epilogue == Epilogue.BIAS_GELU ? 16 : 8;
                    int columns = Math.ceilDiv(tile.columns(), unit) * unit + unit * step;
                    int k = 16 * tile.slabs() * (tile.stages(planes) + step);
                    cases.add(() -> linear(rows, columns, k, epilogue, TOKENS, planes, tile));
                    turn++;
                }
            }
        }
    }

    /** Around a tile of keys and one of queries. */
    private static void attention(List<Supplier<KernelCase>> cases, int planes) {
        Tiling tiling = Tiling.of(HEAD_SIZE, planes, MOST_TOKENS);
        for (int border : new TreeSet<>(List.of(tiling.keys(), 64 * tiling.consumers()))) {
            for (int step : Borders.STEPS) {
                cases.add(() -> AttentionCases.attention(1, border + 8 * step, 2, HEAD_SIZE, planes));
            }
        }
    }

    /** Around the rows' padding. */
    private static void packing(List<Supplier<KernelCase>> cases, int planes) {
        for (int step : Borders.STEPS) {
            int rows = Packed.ROWS + step;
            cases.add(() -> TensorCases.packedRows(rows, 16, planes));
            cases.add(() -> TensorCases.layerNorm(1, rows, 48, planes));
        }
    }

    /** Around the columns of a warp's step, of a warp, and of the longest row; rows around a block's. */
    private static void layerNorm(List<Supplier<KernelCase>> cases, int planes) {
        int rows = Borders.tile(m -> PackedLayerNorm.grid(m, 16));
        int warp = 16 * Borders.tile(columns -> PackedLayerNorm.grid(1, 16 * columns));
        for (int step : Borders.STEPS) {
            for (int border : new int[] {PackedLayerNorm.STEP, warp, PackedLayerNorm.LONGEST}) {
                int hidden = Math.min(border + 16 * step, PackedLayerNorm.LONGEST);
                int tokens = rows + Borders.turn(step + border / 16);
                cases.add(() -> TensorCases.layerNorm(1, tokens, hidden, planes));
            }
        }
    }

    /** Around the positions of a tile, and the width from which the front border is longer. */
    private static void maps(List<Supplier<KernelCase>> cases, int planes) {
        int front = 1;
        while (PackedMap.front(front + 1) == PackedMap.front(1)) {
            front++;
        }
        int widest = front;
        for (int step : Borders.STEPS) {
            for (int norm = PackedMap.RAW; norm <= PackedMap.NORM_SILU; norm++) {
                int how = norm;
                int channels = PackedMap.CHANNELS * (2 + Borders.turn(step + norm));
                int whole = PackedMap.TILE + 1 + step;
                int height = Borders.height(whole);
                cases.add(() -> TensorConvolutionCases.map(1, height, whole / height - 1, channels, planes, how));
                cases.add(() -> TensorConvolutionCases.map(2, 2, widest + step, channels, planes, how));
            }
        }
    }

    /** Around a tile of positions, one of output channels, and as many input channels as a round of the loop takes. */
    private static void convolution(List<Supplier<KernelCase>> cases, int taps, int planes) {
        int positions = Borders.tile(width -> convolutionGrid(width, 2, taps, planes));
        int columns = 2 * Borders.tile(pairs -> convolutionGrid(1, 2 * pairs, taps, planes));
        for (int step : Borders.STEPS) {
            int whole = positions + 1 + step;
            int height = Borders.height(whole);
            int outChannels = columns + 2 * Borders.turn(step + taps);
            int channels = PackedMap.CHANNELS
                    * (Launch.ceilDiv(TensorConv2d.period(taps, planes), taps) + Borders.turn(step + planes));
            int epilogue = Borders.turn(step + taps) == 0 ? Epilogue.RESIDUAL : Epilogue.BIAS;
            cases.add(() -> TensorConvolutionCases.conv(
                    1, height, whole / height - 1, channels, outChannels, taps, planes, PackedMap.RAW, epilogue));
        }
    }

    private static WorkerGrid convolutionGrid(int width, int outChannels, int taps, int planes) {
        ConvolutionShape shape = new ConvolutionShape(1, 1, width, PackedMap.CHANNELS, outChannels);
        TensorConv2d.Tile tile = new TensorConv2d.Tile();
        return Launch.groups(tile.blocks(shape, taps, planes, MANY), tile.threads());
    }

    /** Around the channels from which a block has one line of pixels, the most, the lines, and the loads under way. */
    private static void statistics(List<Supplier<KernelCase>> cases) {
        int part = Borders.tile(pixels -> GroupNorm.partialGrid(1, pixels));
        int most = 4 * Borders.group(GroupNorm.partialGrid(1, 1));
        int few = 2 * DecoderCases.GROUPS;
        int lines = most / few;
        for (int step : Borders.STEPS) {
            int twoLines = most / 2 + step * DecoderCases.GROUPS;
            cases.add(() -> DecoderCases.groupStatistics(2, 2 * GroupStatistics.AHEAD + step, twoLines));
            cases.add(() -> DecoderCases.groupStatistics(1, GroupStatistics.AHEAD + step, most));
            cases.add(() -> DecoderCases.groupStatistics(1, lines + step, few));
            cases.add(() -> DecoderCases.groupStatistics(1, part + step, few));
        }
    }

    private static void add(List<Supplier<KernelCase>> cases, int rows, int step, Tile tile, int planes) {
        int k = 16 * tile.slabs();
        int columns = columns(tile, step, 8);
        int whole = rows + TOKENS * step;
        // q, k and v of a head whose size is a multiple of 8.
        int headColumns = columns(tile, step, 24);
        int operandColumns = columns(tile, step, 16);
        // Rows one by one where the epilogue knows no samples, else by samples.
        cases.add(() -> linear(rows + step, columns, k, Epilogue.BIAS, rows + step, planes, tile));
        cases.add(() -> linear(rows + step, operandColumns, k, Epilogue.BIAS_GELU, rows + step, planes, tile));
        cases.add(() -> linear(whole, columns, k, Epilogue.GATE_RESIDUAL, TOKENS, planes, tile));
        cases.add(() -> linear(whole, headColumns, k, Epilogue.BIAS_HEADS, TOKENS, planes, tile));
    }

    /** Around the border of a tile, or of two where two work groups share x: beyond it lies another pair. */
    private static int columns(Tile tile, int step, int unit) {
        int tiles = tile.beside() == 2 && step > 0 ? 3 : tile.beside(); // and a part of the fourth
        return Math.ceilDiv(tile.columns() * tiles, unit) * unit + unit * step;
    }

    private static KernelCase linear(int m, int n, int k, int epilogue, int tokens, int planes, ProductTile tile) {
        return TensorCases.linear(m, n, k, epilogue, tokens, planes, tile, TensorCases.MULTIPROCESSORS);
    }
}
