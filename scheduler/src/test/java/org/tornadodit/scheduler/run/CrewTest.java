package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.dit.GuidanceInterval;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.DeviceFailedException;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.graph.Operations;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.run.TornadoEngine.HostWeights;

/** Several virtual devices that compute the same samples: the bits of one. */
class CrewTest {
    static final int STEPS = 2;

    /** 16 tokens in four heads, two blocks: what is exchanged in one is not the other's. */
    static final DitConfig CONFIG = new DitConfig(4, 1, 4, 32, 2, 4, 2.0, 6, true);

    static final DitWeights WEIGHTS = TinyModel.weights(CONFIG);

    /** 64 tokens in four heads of 16: what eight devices can have the tensor cores' shares of. */
    private static final DitConfig WIDE = new DitConfig(8, 1, 4, 64, 1, 4, 1.0, 6, true);

    static final SamplingRequest TWO = TinyModel.request(STEPS, 3, 1);
    private static final SamplingRequest UNGUIDED =
            new SamplingRequest(List.of(3, 1), TWO.sampler(), 1, TWO.guidance(), GuidanceInterval.ALWAYS);
    private static final Map<String, float[]> EXPECTED = new ConcurrentHashMap<>();

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    private ShardedEngine engine(Mesh mesh, SamplingRequest shape, KernelOptions kernels) {
        return engine(mesh, CONFIG, WEIGHTS, shape, kernels, devices -> devices);
    }

    private ShardedEngine engine(
            Mesh mesh, SamplingRequest shape, KernelOptions kernels, UnaryOperator<List<ListedDevice>> order) {
        return engine(mesh, CONFIG, WEIGHTS, shape, kernels, order);
    }

    private ShardedEngine engine(
            Mesh mesh,
            DitConfig config,
            DitWeights weights,
            SamplingRequest shape,
            KernelOptions kernels,
            UnaryOperator<List<ListedDevice>> order) {
        DeviceTeam equal = TinyModel.team(mesh, 1, reports);
        DeviceTeam team = new DeviceTeam(order.apply(equal.devices()), equal.speeds(), equal.policy(), mesh);
        return new ShardedEngine(
                team, config, weights, TinyModel.PIXEL_VAE, TinyModel.PIXEL_VAE_WEIGHTS, shape, false, kernels);
    }

    private static float[] sampled(ShardedEngine engine, SamplingRequest request) {
        return engine.sample(request, TorchRandn.cuda(5), (done, now) -> {});
    }

    private float[] expected(SamplingRequest request, KernelOptions kernels) {
        return EXPECTED.computeIfAbsent(request + " " + kernels, any -> {
            try (ShardedEngine engine = engine(Mesh.ONE, request, kernels)) {
                return sampled(engine, request);
            }
        });
    }

    /** As {@link #expected}, without guidance, on a device that has room for it. */
    private float[] expectedUnguided(KernelOptions kernels) {
        return EXPECTED.computeIfAbsent("unguided " + kernels, any -> {
            try (ShardedEngine engine = engine(Mesh.ONE, TWO, kernels)) {
                return sampled(engine, UNGUIDED);
            }
        });
    }

    /** Each axis that divides no sum, each two of them, all, and the most parts; two crews of some. */
    @ParameterizedTest
    @CsvSource({
        "1, 2, 1, 1", "1, 1, 2, 1", "1, 1, 1, 2",
        "1, 2, 2, 1", "1, 2, 1, 2", "1, 1, 2, 2",
        "1, 2, 2, 2", "1, 1, 8, 1", "1, 2, 1, 4",
        "2, 2, 1, 1", "2, 1, 2, 1"
    })
    void portableKernelsGiveTheBitsOfOneDevice(int samples, int halves, int ring, int heads) {
        Mesh mesh =
                Mesh.ONE.withSamples(samples).withHalves(halves).withRing(ring).withHeads(heads);
        requireBits(mesh, new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE));
    }

    @ParameterizedTest
    @CsvSource({
        "WGMMA, HIGH, 2, 1, 1",
        "WGMMA, HIGH, 1, 1, 2",
        "WGMMA, HIGHEST, 2, 1, 2",
        "WGMMA, HIGH, 2, 2, 1",
        "WGMMA, HIGHEST, 1, 2, 1",
        "WGMMA, HIGHER, 2, 2, 1",
        "MMA, HIGH, 1, 2, 1"
    })
    void tensorKernelsGiveTheBitsOfOneDevice(Tier tier, MatmulPrecision precision, int halves, int ring, int heads) {
        Mesh mesh = Mesh.ONE.withHalves(halves).withRing(ring).withHeads(heads);
        requireBits(mesh, new KernelOptions(precision, tier));
    }

    /** Norms of queries and keys come before they are exchanged. */
    @ParameterizedTest
    @CsvSource({"PORTABLE, HIGHEST, 1e-6", "WGMMA, HIGH, 2e-4"})
    void modelsWithNormalizedHeadsAreDividedToo(Tier tier, MatmulPrecision precision, double bound) {
        DitConfig config = CONFIG.with(true, true, Objective.DIT);
        DitWeights weights = TinyModel.weights(config);
        KernelOptions kernels = new KernelOptions(precision, tier);
        List<float[]> latents = new ArrayList<>();
        for (Mesh mesh : List.of(Mesh.ONE, Mesh.ONE.withRing(2), Mesh.ONE.withHeads(2), Mesh.ONE.withTensor(2))) {
            try (ShardedEngine engine = engine(mesh, config, weights, TWO, kernels, devices -> devices)) {
                latents.add(sampled(engine, TWO));
            }
        }
        assertArrayEquals(latents.get(0), latents.get(1), "ring");
        assertArrayEquals(latents.get(0), latents.get(2), "heads");
        TensorAssert.assertRelativeError("shares", Shape.of(2, 4, 4, 4), latents.get(3), latents.get(0), bound);
    }

    /** All axes at once. */
    @Test
    void tensorKernelsOnEightDevices() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGH, Tier.WGMMA);
        SamplingRequest one = TinyModel.request(1, 3);
        DitWeights weights = TinyModel.weights(WIDE);
        List<float[]> latents = new ArrayList<>();
        Mesh all = Mesh.ONE.withHalves(2).withRing(2).withHeads(2);
        Mesh shares = Mesh.ONE.withRing(2).withHeads(2).withTensor(2);
        for (Mesh mesh : List.of(Mesh.ONE, all, shares)) {
            HostRuntime.get().setDeviceCount(mesh.devices());
            DeviceTeam equal = TinyModel.team(mesh.devices(), 1, reports);
            DeviceTeam team = new DeviceTeam(equal.devices(), equal.speeds(), equal.policy(), mesh);
            try (ShardedEngine engine = new ShardedEngine(
                    team, WIDE, weights, TinyModel.PIXEL_VAE, TinyModel.PIXEL_VAE_WEIGHTS, one, false, kernels)) {
                latents.add(sampled(engine, one));
            }
        }
        assertArrayEquals(latents.getFirst(), latents.get(1), all.toString());
        TensorAssert.assertRelativeError(
                shares.toString(), Shape.of(1, 4, 8, 8), latents.get(2), latents.getFirst(), 1e-5);
        assertEquals(List.of(), reports);
    }

    /** Two guided samples are four passes; with three micro-batches one has two of them. */
    @ParameterizedTest
    @CsvSource({"1, 1, 2, 1, 1", "1, 1, 2, 3, 1", "2, 1, 2, 2, 1", "1, 2, 2, 2, 2"})
    void stagesGiveTheBitsOfOneDevice(int samples, int halves, int stages, int microBatches, int heads) {
        Mesh mesh = Mesh.ONE
                .withSamples(samples)
                .withHalves(halves)
                .withStages(stages)
                .withMicroBatches(microBatches)
                .withHeads(heads);
        requireBits(mesh, new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE));
    }

    /** Of three samples one crew has two, and passes for all micro-batches; the other one has as many as it has passes. */
    @ParameterizedTest
    @CsvSource({"1, 4", "2, 2"})
    void aCrewOfFewerSamplesHasFewerMicroBatches(int halves, int microBatches) {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        SamplingRequest three = TinyModel.request(STEPS, 3, 1, 2);
        Mesh mesh = Mesh.ONE.withSamples(2).withHalves(halves).withStages(2).withMicroBatches(microBatches);
        try (ShardedEngine engine = engine(mesh, three, kernels)) {
            assertArrayEquals(expected(three, kernels), sampled(engine, three));
        }
        assertEquals(List.of(), reports);
    }

    @ParameterizedTest
    @CsvSource({"HIGH, 1", "HIGHEST, 2"})
    void stagesOfTensorKernelsGiveTheBitsOfOneDevice(MatmulPrecision precision, int heads) {
        Mesh mesh = Mesh.ONE.withStages(2).withMicroBatches(2).withHeads(heads);
        requireBits(mesh, new KernelOptions(precision, Tier.WGMMA));
    }

    @Test
    void stagesGoWithRingsAndSharesOfTheWeights() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        Mesh mesh = Mesh.ONE.withStages(2).withMicroBatches(3);
        requireBits(mesh.withRing(2), kernels);
        requireFaithful(mesh.withTensor(2), kernels, 1e-6);
    }

    private void requireBits(Mesh mesh, KernelOptions kernels) {
        float[] expected = expected(TWO, kernels);
        try (ShardedEngine engine = engine(mesh, TWO, kernels)) {
            List<Long> before = engine.bytesReceived();
            float[] latents = sampled(engine, TWO);
            assertArrayEquals(expected, latents, mesh.toString());
            requireBytes(mesh, kernels, before, engine.bytesReceived());
        }
        assertEquals(List.of(), reports);
    }

    /** What devices have got is what the mesh predicts. */
    static void requireBytes(Mesh mesh, KernelOptions kernels, List<Long> before, List<Long> received) {
        Mesh.Grain grain = kernels.tier() == Tier.PORTABLE
                ? new Mesh.Grain(1, 4, 4, 0)
                : new Mesh.Grain(8, 16, kernels.precision() == MatmulPrecision.HIGH ? 2 : 4, 1);
        int ofCrew = 2 / mesh.samples();
        for (int i = 0; i < received.size(); i++) {
            assertEquals(
                    STEPS * mesh.bytesReceived(CONFIG, ofCrew, ofCrew, grain, i % mesh.ranks()),
                    received.get(i) - before.get(i),
                    "bytes of device " + i);
        }
    }

    /** Shares of the weights divide sums, in FP32's accuracy; what else is divided then changes no bit. */
    @ParameterizedTest
    @CsvSource({"1, 1, 1, 2", "2, 1, 1, 2", "1, 2, 1, 2", "1, 1, 2, 2", "1, 2, 2, 2", "1, 1, 1, 4"})
    void portableKernelsOnSharesOfTheWeightsAreFaithful(int halves, int ring, int heads, int tensor) {
        Mesh mesh = Mesh.ONE.withHalves(halves).withRing(ring).withHeads(heads).withTensor(tensor);
        requireFaithful(mesh, new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE), 1e-6);
    }

    @ParameterizedTest
    @CsvSource({"WGMMA, HIGHEST, 1, 2e-6", "WGMMA, HIGH, 1, 2e-4", "WGMMA, HIGHEST, 2, 2e-6", "MMA, HIGHEST, 1, 2e-6"})
    void tensorKernelsOnSharesOfTheWeightsAreFaithful(Tier tier, MatmulPrecision precision, int halves, double bound) {
        Mesh mesh = Mesh.ONE.withHalves(halves).withTensor(2);
        requireFaithful(mesh, new KernelOptions(precision, tier), bound);
    }

    private void requireFaithful(Mesh mesh, KernelOptions kernels, double bound) {
        float[] alone = expected(TWO, kernels);
        float[] latents;
        try (ShardedEngine engine = engine(mesh, TWO, kernels)) {
            List<Long> before = engine.bytesReceived();
            latents = sampled(engine, TWO);
            requireBytes(mesh, kernels, before, engine.bytesReceived());
        }
        Shape shape = Shape.of(2, CONFIG.inChannels(), CONFIG.inputSize(), CONFIG.inputSize());
        TensorAssert.assertRelativeError(mesh.toString(), shape, latents, alone, bound);
        assertFalse(Arrays.equals(latents, alone), "the same sums: nothing was divided");
        String key = "tensor " + mesh.tensor() + kernels;
        float[] before = EXPECTED.putIfAbsent(key, latents);
        assertArrayEquals(before == null ? latents : before, latents, mesh + ", other divisions of the same sums");
        assertEquals(List.of(), reports);
    }

    @Test
    void repeatedRunsAndDevicesInAnotherOrderHaveTheSameBits() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        Mesh mesh = Mesh.ONE.withTensor(2);
        float[] first;
        try (ShardedEngine engine = engine(mesh, TWO, kernels)) {
            first = sampled(engine, TWO);
            assertArrayEquals(first, sampled(engine, TWO));
        }
        try (ShardedEngine engine = engine(mesh, TWO, kernels, List::reversed)) {
            assertArrayEquals(first, sampled(engine, TWO));
        }
    }

    /** A step may guide some samples and others not: the half for the null class then has fewer passes, or none that counts. */
    @Test
    void halvesTakeSamplesThatAreNotGuided() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        float[] expected = expectedUnguided(kernels);
        try (ShardedEngine engine = engine(Mesh.ONE.withHalves(2), TWO, kernels)) {
            assertArrayEquals(expected, sampled(engine, UNGUIDED));
            assertArrayEquals(expected(TWO, kernels), sampled(engine, TWO));
            assertEquals(2, engine.decode(new float[2 * CONFIG.inputElements()], 2).length / (3 * 4 * 4));
        }
    }

    /** Work groups without a tile count too, where kernels send what they make. */
    @Test
    void kernelsSendFewerPassesThanThereIsRoomFor() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGH, Tier.WGMMA);
        float[] expected = expectedUnguided(kernels);
        for (Mesh mesh : List.of(Mesh.ONE.withHeads(2), Mesh.ONE.withRing(2))) {
            try (ShardedEngine engine = engine(mesh, TWO, kernels)) {
                assertArrayEquals(expected, sampled(engine, UNGUIDED), mesh.toString());
                assertArrayEquals(expected(TWO, kernels), sampled(engine, TWO), mesh.toString());
            }
        }
    }

    /** Of a step without guidance there are two passes for four micro-batches. */
    @Test
    void stagesTakeFewerPassesThanMicroBatches() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        float[] expected = expectedUnguided(kernels);
        try (ShardedEngine engine = engine(Mesh.ONE.withStages(2).withMicroBatches(4), TWO, kernels)) {
            assertArrayEquals(expected, sampled(engine, UNGUIDED));
            assertArrayEquals(expected(TWO, kernels), sampled(engine, TWO));
            assertTrue(engine.description().contains(": blocks 1 to 1 of 2"), engine.description());
        }
    }

    /** Three blocks in three stages, one of them in the middle, and in two, of a model with two times and normalized heads. */
    @Test
    void middleAndUnevenStagesGiveTheBitsOfOneDevice() {
        DitConfig config = new DitConfig(2, 1, 4, 32, 3, 2, 2.0, 6, true).with(false, true, Objective.MEANFLOW);
        DitWeights weights = TinyModel.weights(config);
        SamplingRequest request = new SamplingRequest(
                List.of(3, 1),
                Objective.MEANFLOW.sampler(SamplingMethod.MEAN_FLOW, "2", 0),
                2,
                Guidance.ALL,
                GuidanceInterval.ALWAYS);
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        List<float[]> latents = new ArrayList<>();
        for (int stages = 1; stages <= 3; stages++) {
            Mesh mesh = Mesh.ONE.withStages(stages).withMicroBatches(stages);
            try (ShardedEngine engine = engine(mesh, config, weights, request, kernels, devices -> devices)) {
                latents.add(sampled(engine, request));
            }
        }
        assertArrayEquals(latents.get(0), latents.get(1));
        assertArrayEquals(latents.get(0), latents.get(2));
    }

    /** As of any crew: the stage that fails takes the other along, and the crew beside them has its sample from then on. */
    @Test
    void aCrewOfStagesFailsAsOne() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        float[] expected = expected(TWO, kernels);
        Mesh mesh = Mesh.ONE.withSamples(2).withStages(2).withMicroBatches(2);
        try (ShardedEngine engine = engine(mesh, TWO, kernels)) {
            HostRuntime.get().device(0).faults().failLaunch("d0_hand_on.x", 3); // in the second step
            assertArrayEquals(expected, sampled(engine, TWO));
            assertEquals(1, engine.devices());
        }
        assertEquals(1, reports.size(), reports.toString());
        assertTrue(reports.getFirst().startsWith("device 0: "), reports.toString());
        assertTrue(
                reports.getFirst().contains("failed while sampling, after step 1: injected failure"),
                reports.toString());
    }

    /** The crew of the device that fails is out, the other one does its sample from the latents that were kept. */
    @Test
    void aCrewFailsAsOneAndAnotherGoesOn() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        float[] expected = expected(TWO, kernels);
        try (ShardedEngine engine = engine(Mesh.ONE.withSamples(2).withHalves(2), TWO, kernels)) {
            HostRuntime.get().device(1).faults().failLaunch("d1_block.attn", 3); // in the second step
            assertArrayEquals(expected, sampled(engine, TWO));
            assertEquals(1, engine.devices());
        }
        assertEquals(1, reports.size(), reports.toString());
        assertTrue(reports.getFirst().startsWith("device 1: "), reports.toString());
        assertTrue(
                reports.getFirst().contains("failed while sampling, after step 1: injected failure"),
                reports.toString());
    }

    @Test
    void theOnlyCrewEndsWithTheDeviceThatFailed() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        try (ShardedEngine engine = engine(Mesh.ONE.withHeads(2), TWO, kernels)) {
            HostRuntime.get().device(1).faults().failLaunch("d1_block.attn_heads", 1);
            DeviceFailedException failed = assertThrows(DeviceFailedException.class, () -> sampled(engine, TWO));
            assertTrue(String.valueOf(failed.getMessage()).startsWith("device 1: "), failed.getMessage());
        }
    }

    /** Likewise where kernels send what they make: who waits for it in a product or in attention waits no longer. */
    @ParameterizedTest
    @ValueSource(strings = {"d1_block.attn_qkv", "d1_block.attn"})
    void whoWaitsForWhatWasToBeSentEndsToo(String task) {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGH, Tier.WGMMA);
        try (ShardedEngine engine = engine(Mesh.ONE.withHeads(2), TWO, kernels)) {
            HostRuntime.get().device(1).faults().failLaunch(task, 3); // in the second step
            DeviceFailedException failed = assertThrows(DeviceFailedException.class, () -> sampled(engine, TWO));
            assertTrue(String.valueOf(failed.getMessage()).startsWith("device 1: "), failed.getMessage());
        }
    }

    /** On Hopper heads and tokens have no launch of their own; elsewhere, and where heads are normalized, they have. */
    @Test
    void kernelsSendWhatTheyMake() {
        assertEquals(List.of("predictions"), exchangesOf(CONFIG, Tier.WGMMA));
        assertEquals(List.of("attn_heads", "attn_tokens", "predictions"), exchangesOf(CONFIG, Tier.MMA));
        assertEquals(
                List.of("attn_heads", "attn_tokens", "predictions"),
                exchangesOf(CONFIG.with(true, true, Objective.DIT), Tier.WGMMA));
    }

    private List<String> exchangesOf(DitConfig config, Tier tier) {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGH, tier);
        try (ShardedEngine engine =
                engine(Mesh.ONE.withHeads(2), config, TinyModel.weights(config), TWO, kernels, devices -> devices)) {
            sampled(engine, TWO);
        }
        return HostRuntime.get().device(1).kernels().entrySet().stream()
                .filter(each -> each.getValue().startsWith("Exchange."))
                .map(each -> each.getKey().substring(each.getKey().lastIndexOf('.') + 1))
                .sorted()
                .toList();
    }

    /** Kernels that devices have in common are compiled once, and fail once. */
    @Test
    void devicesMayFailWithTheSame() {
        HostRuntime.get().setDeviceCount(2);
        List<ListedDevice> devices = TinyModel.team(2, 1, reports).devices();
        IllegalStateException same = new IllegalStateException("a kernel of both");
        Crew.RankFailedException failed = assertThrows(
                Crew.RankFailedException.class,
                () -> Crew.load(
                        devices,
                        Mesh.ONE.withHalves(2),
                        rank -> operations(devices.get(rank), rank),
                        (rank, between) -> {
                            throw same;
                        }));
        assertEquals(same, failed.getCause());
        assertEquals(devices.getFirst(), failed.device());
        assertEquals(0, failed.getSuppressed().length);
    }

    /** Of a Hopper GPU beside another one: the first has other kernels. */
    private static KernelOptions kernelsOf(int rank) {
        return new KernelOptions(MatmulPrecision.HIGHEST, rank == 0 ? Tier.WGMMA : Tier.PORTABLE);
    }

    private static Operations operations(ListedDevice device, int rank) {
        return KernelChoice.of(device, CONFIG, kernelsOf(rank)).operations();
    }

    /** They would wait for one another in vain, or take operands for numbers. */
    @Test
    void refusesDevicesWithOtherKernelsWhereBlocksExchange() {
        HostRuntime.get().setDeviceCount(2);
        List<ListedDevice> devices = TinyModel.team(2, 1, reports).devices();
        for (Mesh mesh : List.of(
                Mesh.ONE.withHeads(2),
                Mesh.ONE.withRing(2),
                Mesh.ONE.withTensor(2),
                Mesh.ONE.withHalves(2).withOwners(2))) {
            DeviceUnavailableException refused = assertThrows(
                    DeviceUnavailableException.class,
                    () -> Crew.load(devices, mesh, rank -> operations(devices.get(rank), rank), (rank, between) -> {
                        throw new AssertionError("an engine for " + mesh);
                    }));
            assertEquals(
                    ("device 0 (%s) computes with wgmma, device 1 (%s) with portable, and what these exchange in each"
                                    + " block is not the same: use --kernels portable, or devices of one kind")
                            .formatted(devices.get(0).name(), devices.get(1).name()),
                    refused.getMessage());
        }
    }

    /** Predictions and hidden states are floats on any device: the picture of one, in FP32's accuracy. */
    @Test
    void halvesAndStagesMayHaveOtherKernels() {
        KernelOptions portable = kernelsOf(1);
        float[] alone = expected(TWO, portable);
        Shape shape = Shape.of(2, CONFIG.inChannels(), CONFIG.inputSize(), CONFIG.inputSize());
        for (Mesh mesh : List.of(Mesh.ONE.withHalves(2), Mesh.ONE.withStages(2).withMicroBatches(2))) {
            List<ListedDevice> devices = TinyModel.team(mesh, 1, reports).devices();
            HostRuntime.get().devices().forEach(HostDevice::resetMeters);
            Crew crew = Crew.load(
                    devices,
                    mesh,
                    rank -> operations(devices.get(rank), rank),
                    making(devices, mesh, CrewTest::kernelsOf));
            List<Long> before = crew.bytesReceived();
            float[] latents = sampled(crew, TWO);
            TensorAssert.assertRelativeError(mesh.toString(), shape, latents, alone, 2e-6);
            assertFalse(Arrays.equals(latents, alone), mesh + ": the bits of the portable kernels alone");
            requireBytes(mesh, portable, before, crew.bytesReceived());
            crew.close();
            assertEquals(List.of("TensorLinear.linear", "Linear.linear"), kernelsOf("block.attn_qkv"), mesh.toString());
        }
        assertEquals(0, TinyModel.deviceBytes());
    }

    /** What a task runs on each of two devices. */
    private static List<@Nullable String> kernelsOf(String task) {
        List<@Nullable String> kernels = new ArrayList<>();
        for (int device = 0; device < 2; device++) {
            kernels.add(HostRuntime.get().device(device).kernels().get("d" + device + "_" + task));
        }
        return kernels;
    }

    /** Latents of a crew that has a step at a time, without anything around it. */
    private static float[] sampled(Crew crew, SamplingRequest request) {
        BatchRun batch = new BatchRun(request, CONFIG, TorchRandn.cuda(5), SamplingState.START, (done, now) -> {}, 0);
        List<RunningSample> samples = batch.samples();
        crew.begin(samples.stream().map(RunningSample::keptArrays).toList());
        for (int step = 1; step <= request.steps(); step++) {
            crew.step(samples.stream().map(batch::step).toList(), List.of(), step);
            samples.forEach(RunningSample::stepped);
        }
        float[] latents = new float[samples.size() * CONFIG.inputElements()];
        List<List<float[]>> states =
                crew.read(samples.stream().map(RunningSample::arrays).toList());
        for (int i = 0; i < states.size(); i++) {
            System.arraycopy(states.get(i).getFirst(), 0, latents, i * CONFIG.inputElements(), CONFIG.inputElements());
        }
        return latents;
    }

    /** Makes the engines of a crew of two samples. */
    static Crew.Making making(List<ListedDevice> devices, Mesh mesh, IntFunction<KernelOptions> kernels) {
        return (rank, between) -> {
            Part part = mesh.part(CONFIG, 2, true, rank);
            ListedDevice device = devices.get(rank);
            HostWeights weights = HostWeights.of(
                    CONFIG,
                    WEIGHTS,
                    TinyModel.PIXEL_VAE,
                    TinyModel.PIXEL_VAE_WEIGHTS,
                    device,
                    part,
                    between,
                    kernels.apply(rank));
            return new TornadoEngine(
                    device,
                    "d" + rank + "_",
                    CONFIG,
                    weights,
                    TinyModel.PIXEL_VAE,
                    TWO,
                    part,
                    between,
                    false,
                    Startup.silent());
        };
    }

    /** Weights and graphs are there, and the devices take their first step together: what failed then is not freed. */
    @Test
    void aDeviceThatFailsInTheFirstCommonStepIsLeftAsItIs() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        HostRuntime.get().setDeviceCount(2);
        // Each loads its two blocks, one after the other, before the others come in.
        HostRuntime.get().device(1).faults().failLaunch("d1_block.attn", 3);
        DeviceFailedException failed = assertThrows(
                DeviceFailedException.class,
                () -> engine(Mesh.ONE.withHeads(2), TWO, kernels).close());
        assertTrue(
                String.valueOf(failed.getMessage()).matches("device 1: .* failed while loading: injected failure.*"),
                failed.getMessage());
        HostDevice device = HostRuntime.get().device(1);
        assertEquals(device.peakBytes(), device.usedBytes(), "bytes on the failed device");
    }

    /** In place of a device that failed. */
    @Test
    void refusesPredictionsThatNoExchangeTakes() {
        DitConfig config = new DitConfig(5, 1, 3, 32, 1, 2, 2.0, 6, false);
        VaeConfig vae = new VaeConfig(List.of(8), 1, 3, 3, 4, 1e-6, 0.5, true, false);
        DeviceTeam team = TinyModel.team(Mesh.ONE.withHalves(2), 1, reports);
        DeviceUnavailableException refused = assertThrows(
                DeviceUnavailableException.class,
                () -> new ShardedEngine(
                                team,
                                config,
                                TinyModel.weights(config),
                                vae,
                                TinyModel.vaeWeights(vae),
                                TWO,
                                false,
                                KernelOptions.DEFAULT)
                        .close());
        assertEquals(
                "the model cannot be divided like that: 25 tokens at a time are predictions of 75 numbers: devices"
                        + " exchange multiples of 4",
                refused.getMessage());
    }

    @Test
    void refusesWhatTheModelDoesNotAllow() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.WGMMA);
        DeviceUnavailableException refused = assertThrows(
                DeviceUnavailableException.class,
                () -> engine(Mesh.ONE.withHeads(4), TWO, kernels).close());
        assertEquals(
                "the model cannot be divided like that: 16 tokens in 4 parts: these kernels take multiples of 8",
                refused.getMessage());
    }
}
