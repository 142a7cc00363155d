package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.kernels.TensorLinear.Tile;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.ShapesAlone;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.StepPlan;

/** Which graphs of the blocks are worth compiling, by the model that chooses tiles. */
class SuitedBlocksTest {
    private static final int MULTIPROCESSORS = 132;

    /**
     * A few graphs serve every number of passes nearly as well as one that is made for it: within 10 %, as the products of
     * this test's own formula say.
     */
    @ParameterizedTest
    @CsvSource({
        "XL_2, 512, 16, HIGHEST",
        "XL_2, 512, 16, HIGH",
        "XL_2, 512, 8, HIGH",
        "XL_2, 256, 16, HIGHEST",
        "XL_2, 256, 64, HIGHEST",
        "B_2, 256, 18, HIGHEST",
        "S_4, 256, 64, HIGHEST"
    })
    void aFewGraphsServeEveryNumberOfPasses(DitVariant variant, int size, int most, MatmulPrecision precision) {
        DitConfig config = variant.config(size, 1000);
        SuitedBlocks suited = suited(config, most, new TensorOperations(precision, MULTIPROCESSORS, Tuning.NONE));
        assertEquals(most, suited.passes().getFirst());
        assertTrue(suited.count() <= SuitedBlocks.MOST_GRAPHS, suited.passes().toString());
        int planes = precision == MatmulPrecision.HIGHEST ? 2 : 1;
        double worst = 0;
        double worstAlone = 0;
        for (int passes = 1; passes <= most; passes++) {
            double own = products(config, planes, passes, passes);
            int graph = suited.best(passes, any -> true);
            worst = Math.max(worst, products(config, planes, suited.passes().get(graph), passes) / own);
            worstAlone = Math.max(worstAlone, products(config, planes, most, passes) / own);
        }
        System.out.printf(
                "%s %d, up to %d passes, %s: graphs for %s passes, at worst %.3f of a number's own, %.3f without%n",
                variant, size, most, precision, suited.passes(), worst, worstAlone);
        assertTrue(worst <= 1.1, "at worst " + worst);
        assertTrue(worstAlone > worst, "without: " + worstAlone);
    }

    /** Cycles of a block's products with the tiles that are the default for a number of passes. */
    private static double products(DitConfig config, int planes, int tilesFor, int passes) {
        int d = config.hiddenSize();
        int h = config.mlpHidden();
        double sum = 0;
        for (int[] nk : new int[][] {{3 * d, d}, {d, d}, {h, d}, {d, h}}) {
            Tile tile = TensorLinear.tile(planes, tilesFor * config.tokens(), nk[0], nk[1], MULTIPROCESSORS);
            sum += TensorLinear.cycles(planes, passes * config.tokens(), nk[0], nk[1], tile, MULTIPROCESSORS);
        }
        return sum;
    }

    /** Tiles for the most were tuned, or chosen by more than the model of their products. */
    @Test
    void theMostKeepTheirOwn() {
        SuitedBlocks suited = new SuitedBlocks(List.of(16, 1), List.of(passes -> 100, passes -> 50));
        assertEquals(0, suited.best(16, any -> true));
        assertEquals(1, suited.best(15, any -> true));
    }

    @Test
    void portableKernelsHaveOneGraph() {
        DitConfig config = DitVariant.XL_2.config(512, 1000);
        assertEquals(
                List.of(16),
                suited(config, 16, new PortableOperations(Tuning.NONE)).passes());
    }

    /** The graph for the most stays in use where another is little better; what cannot be used is passed over. */
    @Test
    void takesTheBestOfWhatCanBeUsed() {
        IntToDoubleFunction flat = passes -> 100;
        SuitedBlocks suited = new SuitedBlocks(
                List.of(8, 4, 2, 1),
                List.of(flat, passes -> 97, passes -> passes <= 2 ? 60 : 120, passes -> passes * 50));
        assertEquals(3, suited.best(1, any -> true));
        assertEquals(2, suited.best(1, graph -> graph != 3));
        assertEquals(2, suited.best(2, any -> true));
        assertEquals(0, suited.best(3, any -> true), "97 of 100 is no gain");
        assertEquals(0, suited.best(1, none -> false));
        assertEquals(2, suited.gain(1, 3));
    }

    /** What a largest batch may be is not bounded: neither is the choice allowed to take long. */
    @Test
    void looksAtFewOfManyNumbers() {
        List<Integer> asked = new ArrayList<>();
        SuitedBlocks suited = SuitedBlocks.of(1_000_000, passes -> {
            asked.add(passes);
            return number -> number <= passes ? 1 : 2;
        });
        assertTrue(asked.size() < 300, asked.size() + " numbers");
        assertEquals(List.of(1_000_000), suited.passes());
    }

    private static SuitedBlocks suited(DitConfig config, int most, Operations tier) {
        Part part = Part.of(config, most, false);
        Operations operations = tier.with(Count.sizesAlone());
        DitWeights shapes = DitWeights.load(new ShapesAlone(DitWeights.specs(config)), config);
        return new DitGraphs(
                        "",
                        config,
                        DitDeviceWeights.of(shapes, operations, part),
                        new DitBuffers(config, part, operations),
                        StepPlan.whole(part),
                        part,
                        operations)
                .suited();
    }
}
