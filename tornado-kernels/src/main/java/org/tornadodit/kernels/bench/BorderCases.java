package org.tornadodit.kernels.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.TensorLinear.Tile;
import org.tornadodit.kernels.TensorVariants;
import org.tornadodit.kernels.WarpgroupAttention.Tiling;

/**
 * Cases whose sizes come from a rule: {@link org.tornadodit.kernels.TensorLinear} around the border of every registered tile: as many rows and columns as it has,
 * and one step less and more, with every epilogue.
 */
final class BorderCases {
    private static final int TOKENS = 8;
    private static final int HEAD_SIZE = 24;
    private static final int MOST_TOKENS = 1024;

    private BorderCases() {}

    static List<Supplier<KernelCase>> linear() {
        List<Supplier<KernelCase>> cases = new ArrayList<>();
        for (int planes = 1; planes <= 2; planes++) {
            for (Tile tile : TensorVariants.tiles(planes)) {
                for (int step = -1; step <= 1; step++) {
                    add(cases, tile.rows(), step, tile, planes);
                }
                if (tile.rows() > Packed.ROWS) { // the padding is no multiple of the tile
                    add(cases, tile.rows() + Packed.ROWS, 0, tile, planes);
                }
            }
        }
        return cases;
    }

    /** Attention around a tile of keys and one of queries, and what packs rows around their padding. */
    static List<Supplier<KernelCase>> others() {
        List<Supplier<KernelCase>> cases = new ArrayList<>();
        for (int planes = 1; planes <= 2; planes++) {
            int p = planes;
            Tiling tiling = Tiling.of(HEAD_SIZE, planes, MOST_TOKENS);
            for (int border : new TreeSet<>(List.of(tiling.keys(), 64 * tiling.consumers()))) {
                for (int step = -1; step <= 1; step++) {
                    int tokens = border + 8 * step;
                    cases.add(() -> AttentionCases.attention(1, tokens, 2, HEAD_SIZE, p));
                }
            }
            for (int rows = Packed.ROWS - 1; rows <= Packed.ROWS + 1; rows++) {
                int m = rows;
                cases.add(() -> TensorCases.packedRows(m, 16, p));
                cases.add(() -> TensorCases.layerNorm(1, m, 48, p));
            }
        }
        return cases;
    }

    private static void add(List<Supplier<KernelCase>> cases, int rows, int step, Tile tile, int planes) {
        int k = 16 * tile.slabs();
        int columns = tile.columns() + 8 * step;
        int whole = rows + TOKENS * step;
        // q, k and v of a head whose size is a multiple of 8.
        int headColumns = (tile.columns() + 23) / 24 * 24 + 24 * step;
        int operandColumns = tile.columns() + 16 * step;
        // Rows one by one where the epilogue knows no samples, else by samples.
        cases.add(() -> linear(rows + step, columns, k, Epilogue.BIAS, rows + step, planes, tile));
        cases.add(() -> linear(rows + step, operandColumns, k, Epilogue.BIAS_GELU, rows + step, planes, tile));
        cases.add(() -> linear(whole, columns, k, Epilogue.GATE_RESIDUAL, TOKENS, planes, tile));
        cases.add(() -> linear(whole, headColumns, k, Epilogue.BIAS_HEADS, TOKENS, planes, tile));
    }

    private static KernelCase linear(int m, int n, int k, int epilogue, int tokens, int planes, Tile tile) {
        return TensorCases.linear(m, n, k, epilogue, tokens, planes, tile, TensorCases.MULTIPROCESSORS);
    }
}
