package org.tornadodit.kernels;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.kernels.TensorAttention.Tiling;
import org.tornadodit.kernels.TensorLinear.Tile;

/**
 * The variants of the tensor cores' kernels. None changes the order in which numbers are added, so all give the same
 * bits.
 */
public final class TensorVariants {
    private static final String ROWS = "rows";
    private static final String COLUMNS = "columns";
    private static final String SLABS = "slabs";
    private static final String TURNS = "turns";
    private static final String QUERY_TILES = "queryTiles";
    private static final String WARPS = "warps";
    private static final String KEYS = "keys";
    private static final String STAGES = "stages";
    private static final String HELD = "held";
    private static final String SPAN = "span";
    private static final String BLOCKS = "blocks";
    private static final String BULK = "bulk";

    /** Products of halves. */
    private static final List<Tile> ONE_PLANE = List.of(
            new Tile(256, 192, 2, 0),
            new Tile(256, 192, 4, 0),
            new Tile(256, 128, 4, 0),
            new Tile(128, 192, 4, 1),
            new Tile(128, 192, 2, 1),
            new Tile(128, 128, 4, 1),
            new Tile(64, 192, 4, 1));

    /** Three products for FP32 accuracy. */
    private static final List<Tile> TWO_PLANES = List.of(
            new Tile(128, 192, 2, 0),
            new Tile(128, 192, 1, 0),
            new Tile(64, 192, 2, 1),
            new Tile(64, 192, 4, 1),
            new Tile(128, 128, 2, 0));

    private TensorVariants() {}

    /** What a variant of {@link TensorLinear} is chosen for. */
    public static OperationShape linearOperation(int m, int n, int k, int epilogue, int planes) {
        return OperationShape.of("tensorLinear, " + Epilogue.name(epilogue) + planes(planes), m, n, k);
    }

    /** Those of {@link TensorLinear} that a shape allows, the default first. */
    public static List<Variant> linear(int m, int n, int k, int planes) {
        Tile standard = TensorLinear.tile(planes, m, n, k);
        List<Variant> variants = new ArrayList<>(List.of(of(standard)));
        for (Tile tile : planes == 2 ? TWO_PLANES : ONE_PLANE) {
            if (!tile.equals(standard)
                    && tile.rows() < m + 64
                    && tile.columns() < n + 128
                    && k % (16 * tile.slabs()) == 0) {
                variants.add(of(tile));
            }
        }
        return variants;
    }

    private static Variant of(Tile tile) {
        return Variant.of(ROWS, tile.rows())
                .and(COLUMNS, tile.columns())
                .and(SLABS, tile.slabs())
                .and(TURNS, tile.turns());
    }

    /** A variant as {@link TensorLinear} takes it. */
    public static Tile tile(Variant variant) {
        return new Tile(variant.get(ROWS), variant.get(COLUMNS), variant.get(SLABS), variant.get(TURNS));
    }

    /** What a variant of {@link TensorAttention} is chosen for. */
    public static OperationShape attentionOperation(int samples, int tokens, int heads, int headSize, int planes) {
        return OperationShape.of("tensorAttention" + planes(planes), samples, tokens, heads, headSize);
    }

    /** Those of {@link TensorAttention}, the default first. */
    public static List<Variant> attention(int headSize, int planes, int tokens) {
        Variant best = of(Tiling.of(headSize, planes, tokens));
        List<Variant> variants = new ArrayList<>(List.of(best));
        if (headSize <= 72) {
            variants.add(best.and(BULK, 1 - best.get(BULK)).and(STAGES, 3));
            variants.add(best.and(STAGES, best.get(STAGES) == 3 ? 4 : 3));
            variants.add(best.and(HELD, 1 - best.get(HELD)));
            variants.add(best.and(QUERY_TILES, 1).and(WARPS, 8));
        }
        return variants;
    }

    private static Variant of(Tiling tiling) {
        return Variant.of(QUERY_TILES, tiling.queryTiles())
                .and(WARPS, tiling.warps())
                .and(KEYS, tiling.keys())
                .and(STAGES, tiling.stages())
                .and(HELD, tiling.held())
                .and(SPAN, tiling.span())
                .and(BLOCKS, tiling.blocks())
                .and(BULK, tiling.bulk());
    }

    /** A variant as {@link TensorAttention} takes it. */
    public static Tiling tiling(Variant variant) {
        return new Tiling(
                variant.get(QUERY_TILES),
                variant.get(WARPS),
                variant.get(KEYS),
                variant.get(STAGES),
                variant.get(HELD),
                variant.get(SPAN),
                variant.get(BLOCKS),
                variant.get(BULK));
    }

    private static String planes(int planes) {
        return planes == 2 ? ", split" : "";
    }
}
