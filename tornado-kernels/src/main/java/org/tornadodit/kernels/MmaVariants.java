package org.tornadodit.kernels;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.tornadodit.kernels.TensorCores.Warps;

/** The variants of {@link MmaLinear} and {@link MmaAttention}, which fit a device's shared memory. All of a kernel give the same bits. */
final class MmaVariants {
    private static final String ROWS = "rows";
    private static final String COLUMNS = "columns";
    private static final String WARP_ROWS = "warpRows";
    private static final String WARP_COLUMNS = "warpColumns";
    private static final String SLABS = "slabs";
    private static final String STAGES = "stages";
    private static final String WARPS = "warps";
    private static final String QUERY_TILES = "queryTiles";
    private static final String KEYS = "keys";
    private static final String TOGETHER = "together";

    /** Of products: the next tile's first stages are under way while a tile ends. */
    private static final int MOST_STAGES = 6;

    private static final int MOST_ATTENTION_STAGES = 4;
    /** So many let a tile's values come behind the next one's scores. */
    private static final int STAGES_BEHIND = 3;

    /** Head sizes up to which registers suffice. */
    private static final int MOST_FOR_TWO = 72;

    private static final int MOST_FOR_MANY_KEYS = 88;

    /**
     * A tile without its stages.
     *
     * @param slabs at most
     */
    private record Shape(int rows, int columns, int warpRows, int warpColumns, int slabs) {}

    /** Products of halves. */
    private static final List<Shape> ONE_PLANE = List.of(
            new Shape(128, 192, 2, 4, 2),
            new Shape(128, 256, 2, 4, 2),
            new Shape(128, 128, 2, 2, 2),
            new Shape(128, 64, 4, 2, 4),
            new Shape(64, 64, 2, 2, 4),
            new Shape(16, 128, 1, 4, 4));

    /** Three products for FP32 accuracy. */
    private static final List<Shape> TWO_PLANES = List.of(
            new Shape(128, 128, 4, 2, 2),
            new Shape(64, 128, 2, 2, 2),
            new Shape(128, 64, 4, 1, 2),
            new Shape(64, 64, 2, 2, 2),
            new Shape(16, 128, 1, 4, 2));

    private MmaVariants() {}

    /** Those of {@link MmaLinear} that a shape and a device allow, the default first. */
    static List<Variant> linear(int m, int n, int k, int planes, Warps cores) {
        return (planes == 2 ? TWO_PLANES : ONE_PLANE)
                .stream()
                        .flatMap(shape -> tile(shape, k, planes, cores))
                        .sorted(Comparator.comparingDouble(
                                tile -> MmaLinear.cycles(planes, m, n, k, tile, cores.multiprocessors())))
                        .map(MmaVariants::of)
                        .toList();
    }

    /** As many stages as fit, and as few slabs as K wants. */
    private static Stream<MmaLinear.Tile> tile(Shape shape, int k, int planes, Warps cores) {
        int slabs = shape.slabs;
        while (k % (16 * slabs) != 0 || TensorLinear.EXACT_K % (16 * slabs) != 0) {
            slabs /= 2;
        }
        if (cores.form() != MmaForm.AMPERE) {
            // What is fetched stays in registers until it is stored.
            slabs = 1;
        }
        int most = cores.form() == MmaForm.AMPERE ? MOST_STAGES : 2;
        for (int stages = most; stages >= 2; stages--) {
            var tile = new MmaLinear.Tile(
                    shape.rows, shape.columns, shape.warpRows, shape.warpColumns, slabs, stages, cores.form());
            if (tile.sharedBytes(planes) <= cores.sharedBytes(tile.together())) {
                return Stream.of(tile);
            }
        }
        return Stream.empty();
    }

    private static Variant of(MmaLinear.Tile tile) {
        return Variant.of(ROWS, tile.rows())
                .and(COLUMNS, tile.columns())
                .and(WARP_ROWS, tile.warpRows())
                .and(WARP_COLUMNS, tile.warpColumns())
                .and(SLABS, tile.slabs())
                .and(STAGES, tile.stages());
    }

    static MmaLinear.Tile tile(Variant variant, MmaForm form) {
        return new MmaLinear.Tile(
                variant.get(ROWS),
                variant.get(COLUMNS),
                variant.get(WARP_ROWS),
                variant.get(WARP_COLUMNS),
                variant.get(SLABS),
                variant.get(STAGES),
                form);
    }

    /** Those of {@link MmaAttention}, the default first; all weigh as many keys at a time, whose number changes bits. */
    static List<Variant> attention(int headSize, int planes, Warps cores) {
        if (headSize <= 0 || headSize % 8 != 0 || headSize > WarpgroupAttention.MAX_HEAD_SIZE) {
            throw new IllegalArgumentException("head size " + headSize
                    + ": tensor attention needs a multiple of 8 up to " + WarpgroupAttention.MAX_HEAD_SIZE);
        }
        boolean ampere = cores.form() == MmaForm.AMPERE;
        boolean few = ampere && planes == 1 && headSize <= MOST_FOR_TWO;
        int keys = ampere && planes == 2 && headSize <= MOST_FOR_MANY_KEYS ? 64 : 32;
        List<MmaAttention.Tiling> tilings = new ArrayList<>();
        if (few) {
            // Two tiles of queries, where they leave registers for it, read keys and values half as often. With one
            // plane, 64 keys
            // a stage have the bits of 32.
            for (int more : new int[] {64, 32}) {
                tilings.add(new MmaAttention.Tiling(4, 2, more, STAGES_BEHIND, cores.form()));
            }
            tilings.add(new MmaAttention.Tiling(4, 1, 64, STAGES_BEHIND, 4, cores.form()));
            tilings.add(new MmaAttention.Tiling(8, 2, 64, STAGES_BEHIND, cores.form()));
        } else {
            for (int warps : planes == 2 ? new int[] {8, 4} : new int[] {4, 8}) {
                tilings.add(new MmaAttention.Tiling(warps, 1, keys, 2, cores.form()));
            }
        }
        return tilings.stream()
                .flatMap(tiling -> withStages(tiling, headSize, planes, cores))
                .map(MmaVariants::of)
                .toList();
    }

    /** With as many stages as fit, and no fewer than the tiling's own. */
    private static Stream<MmaAttention.Tiling> withStages(
            MmaAttention.Tiling tiling, int headSize, int planes, Warps cores) {
        int most = cores.form() == MmaForm.AMPERE ? MOST_ATTENTION_STAGES : 2;
        return Stream.iterate(most, stages -> stages >= tiling.stages(), stages -> stages - 1)
                .map(stages -> new MmaAttention.Tiling(
                        tiling.warps(), tiling.queryTiles(), tiling.keys(), stages, tiling.together(), tiling.form()))
                .filter(fits -> fits.sharedBytes(headSize, planes) <= cores.sharedBytes(fits.together()))
                .limit(1);
    }

    private static Variant of(MmaAttention.Tiling tiling) {
        return Variant.of(WARPS, tiling.warps())
                .and(QUERY_TILES, tiling.queryTiles())
                .and(KEYS, tiling.keys())
                .and(STAGES, tiling.stages())
                .and(TOGETHER, tiling.together());
    }

    static MmaAttention.Tiling tiling(Variant variant, MmaForm form) {
        return new MmaAttention.Tiling(
                variant.get(WARPS),
                variant.get(QUERY_TILES),
                variant.get(KEYS),
                variant.get(STAGES),
                variant.get(TOGETHER),
                form);
    }
}
