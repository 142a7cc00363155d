package org.tornadodit.kernels;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.kernels.TensorLinear.Tile;
import org.tornadodit.kernels.WarpgroupAttention.Tiling;

/**
 * The variants of the tensor cores' kernels. None changes the order in which numbers are added, so all give the same
 * bits.
 */
public final class TensorVariants {
    private static final String COLUMNS = "columns";
    private static final String SLABS = "slabs";
    private static final String CONSUMERS = "consumers";
    private static final String KEYS = "keys";
    private static final String STAGES = "stages";
    private static final String HELD = "held";
    private static final String TURNS = "turns";

    /** Products of halves: the tile's columns fill the registers at 256. */
    private static final List<Tile> ONE_PLANE = List.of(
            new Tile(192, 4), new Tile(192, 2), new Tile(128, 4), new Tile(128, 2), new Tile(256, 4), new Tile(256, 2));

    /** Three products for FP32 accuracy: three sums each, so that registers are full at 128. */
    private static final List<Tile> TWO_PLANES =
            List.of(new Tile(128, 2), new Tile(128, 1), new Tile(128, 4), new Tile(96, 2));

    private TensorVariants() {}

    /** What a variant of {@link TensorLinear} is chosen for. */
    public static OperationShape linearOperation(int m, int n, int k, int epilogue, int planes) {
        return OperationShape.of("tensorLinear, " + Epilogue.name(epilogue) + planes(planes), m, n, k);
    }

    /** Those of {@link TensorLinear} that a shape allows, the default first. */
    public static List<Variant> linear(int n, int k, int planes) {
        Tile standard = TensorLinear.tile(planes, n, k);
        List<Variant> variants = new ArrayList<>(List.of(of(standard)));
        for (Tile tile : planes == 2 ? TWO_PLANES : ONE_PLANE) {
            if (!tile.equals(standard) && tile.columns() < n + 128 && k % (16 * tile.slabs()) == 0) {
                variants.add(of(tile));
            }
        }
        return variants;
    }

    private static Variant of(Tile tile) {
        return Variant.of(COLUMNS, tile.columns()).and(SLABS, tile.slabs());
    }

    /** A variant as {@link TensorLinear} takes it. */
    public static Tile tile(Variant variant) {
        return new Tile(variant.get(COLUMNS), variant.get(SLABS));
    }

    /** What a variant of {@link WarpgroupAttention} is chosen for. */
    public static OperationShape attentionOperation(int samples, int tokens, int heads, int headSize, int planes) {
        return OperationShape.of("warpgroupAttention" + planes(planes), samples, tokens, heads, headSize);
    }

    /** Those of {@link WarpgroupAttention}, the default first; all have the same keys, whose number changes bits. */
    public static List<Variant> attention(int headSize, int planes, int tokens) {
        Tiling best = Tiling.of(headSize, planes, tokens);
        List<Variant> variants = new ArrayList<>(List.of(of(best)));
        if (best.stages() > WarpgroupAttention.FEWEST_STAGES) {
            variants.add(of(best).and(STAGES, WarpgroupAttention.FEWEST_STAGES));
        }
        if (best.consumers() > 1) {
            variants.add(of(best).and(TURNS, 0));
            variants.add(of(best).and(CONSUMERS, 1).and(TURNS, 0));
        }
        return variants;
    }

    private static Variant of(Tiling tiling) {
        return Variant.of(CONSUMERS, tiling.consumers())
                .and(KEYS, tiling.keys())
                .and(STAGES, tiling.stages())
                .and(HELD, tiling.held())
                .and(TURNS, tiling.turns());
    }

    /** A variant as {@link WarpgroupAttention} takes it. */
    public static Tiling attentionTiling(Variant variant) {
        return new Tiling(
                variant.get(CONSUMERS), variant.get(KEYS), variant.get(STAGES), variant.get(HELD), variant.get(TURNS));
    }

    private static String planes(int planes) {
        return planes == 2 ? ", split" : "";
    }
}
