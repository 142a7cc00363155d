package org.tornadodit.scheduler.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.kernels.Batch;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.SeededCheckpoint;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.device.DevicePlan;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.PatchFlow;
import org.tornadodit.scheduler.plan.StepPlan;
import uk.ac.manchester.tornado.api.GridScheduler;

/** What is counted without a device is what a device then holds and is asked to do. */
class CountTest {
    private static final DitConfig XL_512 = DitVariant.XL_2.config(512, 1000);
    private static final DitConfig XL_256 = DitVariant.XL_2.config(256, 1000);
    private static final DitConfig SMALL = new DitConfig(4, 1, 4, 32, 2, 2, 2.0, 6, true);
    /** Whose tiles for one pass take less time than those for four. */
    private static final DitConfig MORE_TOKENS = new DitConfig(8, 1, 4, 48, 2, 3, 2.0, 6, true);

    private static final DitConfig WIDER = new DitConfig(8, 2, 4, 48, 1, 3, 4.0, 10, false);
    private static final VaeConfig SD_VAE =
            new VaeConfig(List.of(128, 256, 512, 512), 2, 4, 3, 32, 1e-6, 0.18215, true, true);

    /** A device that nothing was on, whatever tests before this have left. */
    private HostDevice device;

    @BeforeEach
    void aNewDevice() {
        HostRuntime.get().renewDevices();
        device = HostRuntime.get().device(0);
    }

    @AfterEach
    void renew() {
        HostRuntime.get().renewDevices();
    }

    private enum Kernels {
        PORTABLE,
        HIGHEST,
        HIGH;

        Operations operations() {
            return this == PORTABLE
                    ? new PortableOperations(Tuning.NONE)
                    : new TensorOperations(MatmulPrecision.valueOf(name()), 2, Tuning.NONE);
        }

        DecoderTier decoder(VaeConfig config) {
            return this == PORTABLE ? DecoderTier.PORTABLE : DecoderTier.tensorCores(config, this == HIGH ? 1 : 2, 2);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "PORTABLE, 1, true, false",
        "PORTABLE, 3, false, true",
        "HIGHEST, 2, true, true",
        "HIGHEST, 3, false, false",
        "HIGHEST, 3, true, false",
        "HIGH, 1, false, false",
        "HIGH, 3, true, true"
    })
    void theDenoisersArraysAreWhatADeviceHolds(Kernels kernels, int samples, boolean guided, boolean wide) {
        DitConfig config = wide ? WIDER : SMALL;
        requireCountIsWhatADeviceHolds(config, Part.of(config, samples, guided), kernels);
    }

    /** A step's noise from the host, of a device that has all, and of the last of two stages. */
    @ParameterizedTest
    @CsvSource({"PORTABLE, 1", "HIGH, 2"})
    void theHostsNoiseIsCounted(Kernels kernels, int stages) {
        Mesh mesh = Mesh.ONE.withStages(stages).withMicroBatches(stages);
        requireCountIsWhatADeviceHolds(SMALL, mesh.part(SMALL, 3, true, stages - 1), kernels, true);
    }

    @Test
    void blocksForFewerPassesHoldNextToNothing() {
        requireCountIsWhatADeviceHolds(MORE_TOKENS, Part.of(MORE_TOKENS, 2, true), Kernels.HIGHEST);
    }

    /** Three blocks in two stages: one has the patches' embedding, the other the final layer and two blocks. */
    @ParameterizedTest
    @CsvSource({"PORTABLE, 0", "PORTABLE, 1", "HIGH, 0", "HIGHEST, 1"})
    void aStagesArraysAreWhatADeviceHolds(Kernels kernels, int rank) {
        DitConfig config = new DitConfig(4, 1, 4, 32, 3, 2, 2.0, 6, true);
        Mesh mesh = Mesh.ONE.withStages(2).withMicroBatches(2);
        requireCountIsWhatADeviceHolds(config, mesh.part(config, 3, true, rank), kernels);
    }

    /** Three blocks of two devices, which share their weights: one owns two, the other one. */
    @ParameterizedTest
    @CsvSource({"PORTABLE, true, 0", "HIGH, true, 1", "HIGHEST, false, 0"})
    void anOwnersArraysAreWhatADeviceHolds(Kernels kernels, boolean halves, int rank) {
        DitConfig config = new DitConfig(4, 1, 4, 32, 3, 2, 2.0, 6, true);
        Mesh mesh = (halves ? Mesh.ONE.withHalves(2) : Mesh.ONE.withHeads(2)).withOwners(2);
        requireCountIsWhatADeviceHolds(config, mesh.part(config, 3, true, rank), kernels);
    }

    /** Keys and values of all tokens and own blocks, and arrays of a patch. */
    @ParameterizedTest
    @CsvSource({"PORTABLE, 0", "HIGH, 1", "HIGHEST, 0"})
    void aStagesArraysOfPatchesAreWhatADeviceHolds(Kernels kernels, int rank) {
        DitConfig config = new DitConfig(4, 1, 4, 32, 3, 2, 2.0, 6, true);
        Mesh mesh = Mesh.ONE.withStages(2).withFlow(new PatchFlow(2, 1));
        requireCountIsWhatADeviceHolds(config, mesh.part(config, 3, true, rank), kernels);
    }

    private void requireCountIsWhatADeviceHolds(DitConfig config, Part part, Kernels kernels) {
        requireCountIsWhatADeviceHolds(config, part, kernels, false);
    }

    private void requireCountIsWhatADeviceHolds(DitConfig config, Part part, Kernels kernels, boolean hostNoise) {
        int samples = part.samples().count();
        boolean guided = part.halves().count() == 2;
        Operations operations = kernels.operations();
        Count count = Count.ofStep(config, part, operations, Link.PEERS, hostNoise);

        DitWeights weights = DitWeights.load(new SeededCheckpoint(DitWeights.specs(config), 1), config);
        DitBuffers buffers = new DitBuffers(config, part, operations);
        boolean[] withNull = new boolean[samples];
        Arrays.fill(withNull, guided);
        Batch.fill(buffers.wholeBatch, new int[samples], withNull, config.nullClass());
        if (part.isStage()) {
            Batch.divide(buffers.wholeBatch, buffers.microBatches, part.mesh().microBatches(), part.microPasses());
        }
        buffers.describeExchanges(config, part, operations);
        buffers.draw.init(1); // what other devices would predict is NaN here, to which noise is added
        GridScheduler grids = new GridScheduler();
        DitGraphs graphs = new DitGraphs(
                "count_",
                config,
                DitDeviceWeights.of(weights, operations, part),
                buffers,
                StepPlan.whole(part),
                part,
                operations);
        try (DevicePlan plan =
                new DevicePlan(TornadoDevices.list().getFirst(), () -> graphs.build(grids, hostNoise), grids)) {
            List<Integer> step = graphs.step();
            plan.execute(graphs.start());
            graphs.load(plan);
            plan.execute(step.getLast());
            assertEquals(0, device.bytesLeftOpen());
            // Blocks with tiles for fewer passes take what a block hands on, and have next to nothing of their own.
            assertEquals(config.equals(MORE_TOKENS), graphs.later() > 0);
            for (int graph = 1; graph <= graphs.later(); graph++) {
                plan.execute(step.getFirst());
                plan.execute(graphs.blocks(0));
                plan.execute(graphs.blocks(graph));
                plan.execute(step.getLast());
            }
            graphs.synchronousStep().forEach(plan::execute); // of patches, which takes no more
            device.resetMeters();
            step.forEach(plan::execute);
            assertEquals(device.peakBytes(), count.bytes());
            assertEquals(
                    device.launches().values().stream()
                            .mapToLong(Long::longValue)
                            .sum(),
                    count.launches().stream().mapToLong(Count.Launch::times).sum());
        }
    }

    @ParameterizedTest
    @CsvSource({"PORTABLE, 1, 3", "PORTABLE, 3, 4", "HIGHEST, 1, 5", "HIGH, 2, 4"})
    void theDecodersArraysAreWhatADeviceHolds(Kernels kernels, int images, int size) {
        VaeConfig config = new VaeConfig(List.of(16, 32), 1, 4, 3, 8, 1e-6, 0.25, true, true);
        DecoderTier tier = kernels.decoder(config);
        assertEquals(kernels == Kernels.PORTABLE, tier.isPortable());
        Count count = Count.ofDecoder(config, size, images, tier);

        VaeWeights weights = VaeWeights.load(new SeededCheckpoint(VaeWeights.specs(config), 2), config);
        VaeBuffers buffers = new VaeBuffers(config, size, images, tier);
        GridScheduler grids = new GridScheduler();
        VaeGraphs graphs = new VaeGraphs("count_vae_", config, weights, buffers);
        try (DevicePlan plan = new DevicePlan(TornadoDevices.list().getFirst(), () -> graphs.build(grids), grids)) {
            graphs.load(plan);
            device.resetMeters();
            graphs.decode(plan, images);
            assertEquals(device.peakBytes(), count.bytes());
            assertEquals(0, device.bytesLeftOpen());
            assertEquals(
                    device.launches().values().stream()
                            .mapToLong(Long::longValue)
                            .sum(),
                    count.launches().stream().mapToLong(Count.Launch::times).sum());
        }
    }

    /** DiT's paper has 524.6 and 118.6 Gflops for XL/2 (tables 4 and 6), a multiplication and addition counted once. */
    @Test
    void aPassOfTheModelIsThePapersWork() {
        assertEquals(524.6e9, Count.ofStep(XL_512, Part.of(XL_512, 1, false)).flops() / 2, 0.01 * 524.6e9);
        assertEquals(118.6e9, Count.ofStep(XL_256, Part.of(XL_256, 1, false)).flops() / 2, 0.01 * 118.6e9);
    }

    /** The same from the model's sizes: linear layers, scores and values, patches in and out, timestep, modulations. */
    @Test
    void anyTierDoesTheWorkOfTheFormula() {
        for (DitConfig config : List.of(SMALL, WIDER, XL_512)) {
            double d = config.hiddenSize();
            double t = config.tokens();
            double block = t * (4 * d * d + 2 * d * config.mlpHidden()) + 2 * t * t * d + 6 * d * d;
            double patch = config.inChannels() * config.patchSize() * config.patchSize();
            double ends = t * d * (patch + config.patchOutputs()) + 2 * d * d + DitConfig.FREQUENCY_SIZE * d + d * d;
            double pass = 2 * (config.depth() * block + ends);
            for (Kernels kernels : Kernels.values()) {
                Operations tier = kernels.operations();
                assertEquals(
                        6 * pass,
                        Count.ofStep(config, Part.of(config, 3, true), tier).flops(),
                        1e-12 * 6 * pass);
                assertEquals(
                        3 * pass,
                        Count.ofStep(config, Part.of(config, 3, false), tier).flops(),
                        1e-12 * 3 * pass);
            }
        }
    }

    /** Of Stable Diffusion's decoder at 512 x 512, whose sizes are written out here. */
    @Test
    void anyTierDecodesWithTheSameWork() {
        double p = 64 * 64;
        double mid = 4 * 9 * p * 512 * 512 + p * 4 * 512 * 512 + 2 * p * p * 512;
        double first = 6 * 9 * p * 512 * 512 + 4 * p * 9 * 512 * 512;
        double second = 4 * p * 6 * 9 * 512 * 512 + 16 * p * 9 * 512 * 512;
        double third = 16 * p * (9 * 256 * (512 + 5 * 256) + 512 * 256) + 64 * p * 9 * 256 * 256;
        double fourth = 64 * p * (9 * 128 * (256 + 5 * 128) + 256 * 128);
        double ends = p * (9 * 4 * 512 + 4 * 4) + 64 * p * 9 * 128 * 3;
        double image = 2 * (mid + first + second + third + fourth + ends);
        for (Kernels kernels : Kernels.values()) {
            assertEquals(
                    2 * image,
                    Count.ofDecoder(SD_VAE, 64, 2, kernels.decoder(SD_VAE)).flops(),
                    1e-12 * image);
        }
    }

    /** The weights of XL/2 in FP32 are read once a step, all but the label table, whose rows are. */
    @Test
    void weightsAreReadOnceAStep() {
        Count count = Count.ofStep(XL_512, Part.of(XL_512, 8, true));
        double read = count.launches().stream()
                .mapToDouble(launch -> launch.times() * launch.work().weightBytes())
                .sum();
        double parameters = 4.0 * XL_512.parameters();
        double tables = 4.0 * XL_512.hiddenSize() * (XL_512.tokens() + 1001);
        assertEquals(parameters - tables, read, 1e-3 * parameters);
        assertTrue(count.bytesMoved() > read);
        assertEquals(parameters, count.weightBytes(), 1e4);
    }

    /** Two devices have half of what qkv, proj, fc1 and fc2 hold each: 12 D^2 of a block's 18 D^2 and the rest. */
    @Test
    void sharesOfTheWeightsTakeAShareOfTheMemory() {
        for (Kernels kernels : Kernels.values()) {
            Operations tier = kernels.operations();
            Count whole = Count.ofStep(XL_512, Part.of(XL_512, 1, true), tier);
            double products = 28 * 12.0 * 1152 * 1152 * (kernels == Kernels.HIGH ? 2 : 4);
            for (int rank = 0; rank < 4; rank++) {
                Part part = Mesh.ONE.withTensor(4).part(XL_512, 1, true, rank);
                Count share = Count.ofStep(XL_512, part, tier);
                double others =
                        4.0 * (1024 * 1152 + 28 * (3 * 1152 + 4 * 1152)); // positions, and biases of qkv and fc1
                assertEquals(
                        whole.weightBytes() - 0.75 * (products + others), share.weightBytes(), 1000, "rank " + rank);
            }
        }
    }

    /** Of XL/2's weights, those of the modulations among them: half, and two blocks'. */
    @Test
    void twoOwnersHoldLittleMoreThanHalfOfTheWeights() {
        for (Kernels kernels : Kernels.values()) {
            Operations tier = kernels.operations();
            long whole = Count.ofStep(XL_512, Part.of(XL_512, 1, true), tier).weightBytes();
            for (int rank = 0; rank < 2; rank++) {
                Part part = Mesh.ONE.withHalves(2).withOwners(2).part(XL_512, 1, true, rank);
                double share = (double) Count.ofStep(XL_512, part, tier).weightBytes() / whole;
                assertEquals(0.55, share, 0.01, kernels + ", rank " + rank);
            }
        }
    }

    /**
     * Virtual devices take what is sent to them when they wait for it, so that they do not see who sends too early: devices
     * meet behind attention before one can send the next block's keys.
     */
    @Test
    void whoHasExchangedKeysMeetsBehindAttention() {
        for (Mesh mesh : List.of(
                Mesh.ONE.withRing(2),
                Mesh.ONE.withHeads(2),
                Mesh.ONE.withRing(2).withHeads(2))) {
            List<String> tasks = Count.ofStep(XL_512, mesh.part(XL_512, 1, true, 0)).launches().stream()
                    .filter(launch -> launch.graph().equals("block") && launch.times() == 28)
                    .map(Count.Launch::task)
                    .toList();
            assertEquals(List.of("attn_heads", "attn", "attn_tokens"), tasks.subList(2, 5), mesh + ": " + tasks);
        }
    }

    /** What cannot be allocated can be counted: what it needs is what tells the user so. */
    @Test
    void countsBeyondWhatArraysHold() {
        long one = Count.ofStep(XL_512, Part.of(XL_512, 1, true)).activationBytes();
        long many = Count.ofStep(XL_512, Part.of(XL_512, 100_000, true)).activationBytes();
        long two = Count.ofStep(XL_512, Part.of(XL_512, 2, true)).activationBytes();
        assertEquals(one + 99_999.0 * (two - one), many, 1e-3 * many);
    }

    @Test
    void operationsAreTunedInTheOrderOfTheirWork() {
        List<Tunable> tunables = Count.ofStep(
                        XL_512,
                        Part.of(XL_512, 8, true),
                        new TensorOperations(MatmulPrecision.HIGHEST, 132, Tuning.NONE))
                .tunables();
        assertEquals("16384x4608x1152", tunables.getFirst().operation().shape());
        assertEquals(28, tunables.getFirst().launches());
        assertEquals(
                tunables.size(),
                tunables.stream().map(Tunable::operation).distinct().count());
        assertEquals(
                57,
                tunables.stream()
                        .filter(one -> one.operation().operation().startsWith("packedLayerNorm"))
                        .mapToInt(Tunable::launches)
                        .sum());
    }
}
