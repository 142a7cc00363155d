package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.PackedWeights;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.device.DevicePlan;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.graph.WeightStaging.Passage;
import org.tornadodit.scheduler.run.TinyModel;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What the device packs is what the host would, bit for bit. */
class WeightStagingTest {
    private static final int OUT = 24;
    private static final int IN = 48;

    @BeforeEach
    void aNewDevice() {
        HostRuntime.get().renewDevices(); // other tests leave what failed devices held, and arrays that no graph frees
    }

    @AfterEach
    void nothingIsLeftOnTheDevice() {
        assertEquals(0, TinyModel.deviceBytes());
    }

    /** Layers of which each has another largest magnitude: none, tiny, ordinary, beyond all powers that are scaled. */
    private static List<Linear> layers(int out, int in) {
        SplittableRandom random = new SplittableRandom(5);
        List<Linear> layers = new ArrayList<>();
        for (float scale : new float[] {0, 0x1p-140f, 0x1p-60f, 0.02f, 1.75f, 0x1p110f}) {
            float[] weight = new float[out * in];
            for (int i = 0; i < weight.length; i++) {
                weight[i] = scale * (float) random.nextDouble(-1, 1) * (i % 7 == 0 ? 0x1p-20f : 1);
            }
            float[] bias = new float[out];
            for (int i = 0; i < out; i++) {
                bias[i] = (float) random.nextDouble(-1, 1);
            }
            layers.add(linear(weight, bias, in));
        }
        return layers;
    }

    private static Linear linear(float[] weight, float[] bias, int in) {
        return new Linear(
                Tensor.of("weight", Shape.of(bias.length, in), weight), Tensor.of("bias", Shape.of(bias.length), bias));
    }

    /** A layer with this value among ordinary ones. */
    private static Linear spoiled(float value) {
        Linear ordinary = layers(OUT, IN).get(3);
        float[] weight = ordinary.weight().toArray();
        weight[weight.length / 3] = value;
        return linear(weight, ordinary.bias().toArray(), IN);
    }

    /** Bits of the weights' and the biases' arrays after staging, of each product. */
    private static List<int[]> staged(ProductWeights... weights) {
        return staged(Integer.MAX_VALUE, weights);
    }

    /** As above, so many ints at a time at most. */
    private static List<int[]> staged(int room, ProductWeights... weights) {
        KernelContext context = new KernelContext();
        IntArray carried = ArrayPages.ints(3);
        GridScheduler grids = new GridScheduler();
        List<StagedWeights> all =
                Stream.of(weights).flatMap(w -> w.staged().stream()).toList();
        Passage whole = Passage.of(ArraySource.PAGES, List.of(all));
        Passage passage = new Passage(
                ArrayPages.floats(Math.min(room, whole.sent().getSize())), whole.jobs(), whole.ints(), whole.floats());
        WeightStaging staging =
                new WeightStaging(ArraySource.PAGES, passage, "staging_", "before", new Object[] {carried}, all);
        DevicePlan plan = new DevicePlan(
                TornadoDevices.list().getFirst(),
                () -> {
                    TaskGraph before = new TaskGraph("before")
                            .task("carried", Embedding::fill, context, carried, 3, 7)
                            .persistOnDevice(carried);
                    grids.addWorkerGrid("before.carried", Launch.elementwise(3));
                    List<ImmutableTaskGraph> graphs = new ArrayList<>(List.of(before.snapshot()));
                    graphs.addAll(staging.build(grids));
                    return graphs;
                },
                grids,
                Startup.silent());
        try {
            plan.finish();
            plan.execute(0);
            staging.run(plan, 1);
            TornadoExecutionResult result = plan.execute(2); // without jobs
            result.transferToHost(carried);
            assertArrayEquals(new int[] {7, 7, 7}, carried.toHeapArray());
            return Stream.of(weights)
                    .flatMap(w -> {
                        result.transferToHost(w.weight());
                        result.transferToHost(w.bias());
                        return Stream.of(
                                bits(w.weight().getSegment()), bits(w.bias().getSegment()));
                    })
                    .toList();
        } finally {
            plan.close();
        }
    }

    private static int[] bits(MemorySegment segment) {
        return segment.toArray(ValueLayout.JAVA_INT);
    }

    private static List<MemorySegment> data(List<Linear> layers, boolean bias) {
        return layers.stream()
                .map(layer -> (bias ? layer.bias() : layer.weight()).data())
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"HIGHEST, 2", "HIGHER, 3", "HIGH, 1"})
    void packedLayersHaveTheHostsBits(MatmulPrecision precision, int planes) {
        TensorOperations operations = new TensorOperations(precision, 4, Tuning.NONE);
        int in = planes == Packed.MIXED ? 64 : IN;
        int less = planes == Packed.MIXED ? 32 : 16;
        List<Linear> wide = layers(OUT, in);
        List<Linear> narrow = layers(8, less);
        List<int[]> actual = staged(operations.weights(wide), operations.weights(narrow));
        PackedWeights first = PackedWeights.of(data(wide, false), data(wide, true), OUT, in, planes);
        PackedWeights second = PackedWeights.of(data(narrow, false), data(narrow, true), 8, less, planes);
        assertArrayEquals(bits(first.weight().getSegment()), actual.get(0));
        assertArrayEquals(bits(first.bias().getSegment()), actual.get(1));
        assertArrayEquals(bits(second.weight().getSegment()), actual.get(2));
        assertArrayEquals(bits(second.bias().getSegment()), actual.get(3));
    }

    @Test
    void layersTogetherHaveTheHostsBits() {
        List<Linear> layers = layers(OUT, IN).subList(0, 4);
        int all = 4 * OUT;
        ProductWeights weights =
                new TensorOperations(MatmulPrecision.HIGH, 4, Tuning.NONE).weightsTogether(layers, List.of());
        PackedWeights expected =
                new PackedWeights(ArrayPages.ints(weights.weight().getSize()), ArrayPages.floats(all + 1));
        expected.fillTogether(data(layers, false), data(layers, true), OUT, IN, 2);
        List<int[]> actual = staged(weights);
        assertArrayEquals(bits(expected.weight().getSegment()), actual.get(0));
        assertArrayEquals(bits(expected.bias().getSegment()), actual.get(1));
    }

    /** Of layers that other devices have the scale counts, also where it is one that goes in pieces. */
    @ParameterizedTest
    @CsvSource({"0", "500"})
    void layersThatAreElsewhereCountForTheScale(int room) {
        List<Linear> all = layers(OUT, IN).subList(2, 5); // 2^-60, 0.02 and 1.75
        TensorOperations operations = new TensorOperations(MatmulPrecision.HIGH, 4, Tuning.NONE);
        ProductWeights held = operations.weightsTogether(all.subList(0, 2), all.subList(2, 3));
        List<int[]> actual = room == 0 ? staged(held) : staged(room, held);
        PackedWeights together = new PackedWeights(
                ArrayPages.ints(TensorLinear.weightSize(1, 3 * OUT, IN, 2)), ArrayPages.floats(3 * OUT + 1));
        together.fillTogether(data(all, false), data(all, true), OUT, IN, 2);
        for (int row = 0; row < 2 * OUT; row++) {
            for (int k = 0; k < IN; k += 2) {
                for (int plane = 0; plane < 2; plane++) {
                    assertEquals(
                            together.weight().get(Packed.index(row, k, 3 * OUT, 2) + plane * Packed.PLANE),
                            actual.get(0)[Packed.index(row, k, 2 * OUT, 2) + plane * Packed.PLANE],
                            row + ", " + k);
                }
            }
        }
        assertEquals(Float.floatToRawIntBits(together.bias().get(3 * OUT)), actual.get(1)[2 * OUT]);
    }

    /** What has no room goes in pieces: rows of a layer, of several with one scale, and floats. */
    @ParameterizedTest
    @CsvSource({"384", "500", "1152", "1153"})
    void piecesHaveTheHostsBits(int room) {
        List<Linear> layers = layers(OUT, IN).subList(0, 4);
        PackedWeights together = new PackedWeights(
                ArrayPages.ints(TensorLinear.weightSize(1, 4 * OUT, IN, 2)), ArrayPages.floats(4 * OUT + 1));
        together.fillTogether(data(layers, false), data(layers, true), OUT, IN, 2);
        PackedWeights each = PackedWeights.of(data(layers, false), data(layers, true), OUT, IN, 2);
        TensorOperations operations = new TensorOperations(MatmulPrecision.HIGHEST, 4, Tuning.NONE);
        List<int[]> actual = staged(
                room,
                operations.weights(layers),
                operations.weightsTogether(layers, List.of()),
                new PortableOperations(Tuning.NONE).weights(layers));
        assertArrayEquals(bits(each.weight().getSegment()), actual.get(0));
        assertArrayEquals(bits(each.bias().getSegment()), actual.get(1));
        assertArrayEquals(bits(together.weight().getSegment()), actual.get(2));
        assertArrayEquals(bits(together.bias().getSegment()), actual.get(3));
        assertArrayEquals(joined(data(layers, false)), actual.get(4));
        assertArrayEquals(joined(data(layers, true)), actual.get(5));
    }

    /** NaN and infinity stay what they are, for the sampler's checks to find. */
    @ParameterizedTest
    @CsvSource({"NaN", "-Infinity", "3.4028235e38"})
    void whatHasNoScaleHasTheHostsBits(float value) {
        List<Linear> layers = List.of(spoiled(value), layers(OUT, IN).get(4));
        PackedWeights expected = PackedWeights.of(data(layers, false), data(layers, true), OUT, IN, 2);
        List<int[]> actual = staged(new TensorOperations(MatmulPrecision.HIGHEST, 4, Tuning.NONE).weights(layers));
        assertArrayEquals(bits(expected.weight().getSegment()), actual.get(0));
        assertArrayEquals(bits(expected.bias().getSegment()), actual.get(1));
    }

    @Test
    void portableLayersAreTheCheckpoints() {
        List<Linear> layers = layers(OUT, IN);
        List<int[]> actual = staged(new PortableOperations(Tuning.NONE).weights(layers));
        assertArrayEquals(joined(data(layers, false)), actual.get(0));
        assertArrayEquals(joined(data(layers, true)), actual.get(1));
    }

    private static int[] joined(List<MemorySegment> parts) {
        return parts.stream()
                .flatMapToInt(part -> IntStream.of(part.toArray(ValueLayout.JAVA_INT_UNALIGNED)))
                .toArray();
    }
}
