package org.tornadodit.kernels;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.kernels.TensorLinear.Tile;
import org.tornadodit.kernels.WarpgroupAttention.Tiling;

/**
 * The variants of the warpgroups' kernels. None changes the order in which numbers are added, so all give the same
 * bits.
 */
public final class TensorVariants {
    private static final String ROWS = "rows";
    private static final String COLUMNS = "columns";
    private static final String SLABS = "slabs";
    private static final String CONSUMERS = "consumers";
    private static final String KEYS = "keys";
    private static final String STAGES = "stages";
    private static final String HELD = "held";
    private static final String TURNS = "turns";
    private static final String BELOW = "below";
    private static final String BESIDE = "beside";

    /** Products of halves. */
    private static final List<Tile> ONE_PLANE = List.of(
            new Tile(256, 192, 2, 0),
            new Tile(256, 192, 4, 0),
            new Tile(256, 192, 2, 0, 1, 2),
            new Tile(256, 192, 4, 0, 1, 2),
            new Tile(256, 144, 4, 0),
            new Tile(128, 216, 4, 0),
            new Tile(128, 192, 4, 0),
            new Tile(128, 192, 4, 1),
            new Tile(128, 144, 8, 0),
            new Tile(128, 144, 4, 0),
            new Tile(128, 144, 4, 1),
            new Tile(128, 144, 4, 1, 2, 1),
            new Tile(128, 128, 8, 0),
            new Tile(128, 72, 8, 0),
            new Tile(64, 216, 4, 1),
            new Tile(64, 144, 8, 1),
            new Tile(64, 96, 4, 1),
            new Tile(64, 72, 8, 1));

    /** Three products for FP32 accuracy. */
    private static final List<Tile> TWO_PLANES = List.of(
            new Tile(128, 192, 2, 0),
            new Tile(128, 192, 2, 0, 2, 1),
            new Tile(128, 144, 2, 0),
            new Tile(128, 128, 2, 0),
            new Tile(128, 72, 4, 0),
            new Tile(64, 192, 2, 1),
            new Tile(64, 144, 4, 1),
            new Tile(64, 96, 4, 1),
            new Tile(64, 72, 4, 1));

    /** One product of halves and two of eight bits. */
    private static final List<Tile> MIXED = List.of(
            new Tile(256, 192, 4, 0),
            new Tile(256, 192, 4, 0, 2, 1),
            new Tile(256, 192, 4, 0, 1, 2),
            new Tile(256, 192, 2, 0),
            new Tile(256, 144, 4, 0),
            new Tile(128, 192, 4, 0),
            new Tile(128, 144, 4, 0),
            new Tile(128, 96, 4, 0));

    private TensorVariants() {}

    /** Those of {@link TensorLinear} that a shape allows, the default first. */
    public static List<Variant> linear(int m, int n, int k, int planes, int multiprocessors) {
        Tile standard = TensorLinear.tile(planes, m, n, k, multiprocessors);
        List<Variant> variants = new ArrayList<>(List.of(of(standard)));
        for (Tile tile : tiles(planes)) {
            if (!tile.equals(standard)
                    && tile.rows() < m + 64
                    && tile.columns() < n + 128
                    && (tile.below() == 1 || tile.rows() < m)
                    && (tile.beside() == 1 || Launch.ceilDiv(n, tile.columns()) % tile.beside() == 0)
                    && k % (16 * tile.slabs()) == 0) {
                variants.add(of(tile));
            }
        }
        return variants;
    }

    /** All tiles of {@link TensorLinear} that a variant may have. */
    public static List<Tile> tiles(int planes) {
        return planes == Packed.MIXED ? MIXED : planes == 2 ? TWO_PLANES : ONE_PLANE;
    }

    private static Variant of(Tile tile) {
        return Variant.of(ROWS, tile.rows())
                .and(COLUMNS, tile.columns())
                .and(SLABS, tile.slabs())
                .and(TURNS, tile.turns())
                .and(BELOW, tile.below())
                .and(BESIDE, tile.beside());
    }

    /** A variant as {@link TensorLinear} takes it. */
    public static Tile tile(Variant variant) {
        return new Tile(
                variant.get(ROWS),
                variant.get(COLUMNS),
                variant.get(SLABS),
                variant.get(TURNS),
                variant.get(BELOW),
                variant.get(BESIDE));
    }

    /**
     * Those of {@link WarpgroupAttention}, the default first; all have the same keys, whose number changes bits.
     *
     * @param heads of all passes
     */
    public static List<Variant> attention(int heads, int headSize, int planes, int tokens, int multiprocessors) {
        Tiling best = Tiling.of(headSize, planes, tokens);
        List<Variant> variants = new ArrayList<>(List.of(of(best)));
        if (heads * best.halved().queryBlocks(tokens) <= multiprocessors && best.consumers() > 1) {
            // Each gets a multiprocessor, where those of twice as many queries would leave half of them idle.
            variants.addFirst(of(best.halved()));
            return variants;
        }
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
}
