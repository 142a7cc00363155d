package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.GuidanceInterval;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.DeviceFailedException;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.MeshRequest;

/** Virtual devices that each own some of the blocks: the bits of one device that owns all. */
class OwnersTest {
    private static final int STEPS = 2;

    /** 16 tokens in four heads, five blocks. */
    private static final DitConfig CONFIG = new DitConfig(4, 1, 4, 32, 5, 4, 2.0, 6, true);

    private static final SamplingRequest TWO = TinyModel.request(STEPS, 3, 1);

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    private ShardedEngine engine(Mesh mesh, DitConfig config, SamplingRequest shape, KernelOptions kernels) {
        return engine(mesh, config, TinyModel.weights(config), shape, kernels);
    }

    private ShardedEngine engine(
            Mesh mesh, DitConfig config, DitWeights weights, SamplingRequest shape, KernelOptions kernels) {
        DeviceTeam team = TinyModel.team(mesh, 1, reports);
        return new ShardedEngine(
                team, config, weights, TinyModel.PIXEL_VAE, TinyModel.PIXEL_VAE_WEIGHTS, shape, false, kernels);
    }

    private static float[] sampled(ShardedEngine engine, SamplingRequest request) {
        return engine.sample(request, TorchRandn.cuda(5), (done, now) -> {});
    }

    @ParameterizedTest
    @CsvSource({
        "PORTABLE, HIGHEST, 2, 1, 1, 2",
        "PORTABLE, HIGHEST, 1, 1, 2, 2",
        "PORTABLE, HIGHEST, 2, 1, 2, 4",
        "WGMMA, HIGHEST, 1, 1, 2, 2",
        "WGMMA, HIGHER, 2, 2, 1, 4",
        "MMA, HIGH, 1, 2, 1, 2",
    })
    void ownersGiveTheBitsOfOneDevice(
            Tier tier, MatmulPrecision precision, int halves, int ring, int heads, int owners) {
        KernelOptions kernels = new KernelOptions(precision, tier);
        Mesh mesh = Mesh.ONE.withHalves(halves).withRing(ring).withHeads(heads).withOwners(owners);
        float[] expected;
        try (ShardedEngine engine = engine(Mesh.ONE, CONFIG, TWO, kernels)) {
            expected = sampled(engine, TWO);
        }
        Mesh.Grain grain = tier == Tier.PORTABLE
                ? new Mesh.Grain(1, 4, 4, 0)
                : new Mesh.Grain(8, 16, precision == MatmulPrecision.HIGH ? 2 : 4, 1);
        try (ShardedEngine engine = engine(mesh, CONFIG, TWO, kernels)) {
            List<Long> before = engine.bytesReceived();
            assertArrayEquals(expected, sampled(engine, TWO), mesh.toString());
            requireBytes(mesh, CONFIG, STEPS, 2, grain, before, engine.bytesReceived());
        }
        assertEquals(List.of(), reports);
    }

    /** The owner that fails takes along who waits for its weights; the crew beside them has their sample from then on. */
    @Test
    void aCrewFailsWithTheOwnerOfItsWeights() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
        float[] expected;
        try (ShardedEngine engine = engine(Mesh.ONE, CONFIG, TWO, kernels)) {
            expected = sampled(engine, TWO);
        }
        Mesh mesh = Mesh.ONE.withHalves(2).withOwners(2);
        try (ShardedEngine engine = engine(mesh.withSamples(2), CONFIG, TWO, kernels)) {
            assertTrue(engine.description().contains("for the null class, owns 2 of 5 blocks' weights"));
            HostRuntime.get().device(1).faults().failLaunch("d1_block.weights_push", 7); // in the second step
            assertArrayEquals(expected, sampled(engine, TWO));
            assertEquals(1, engine.devices());
        }
        assertEquals(1, reports.size(), reports.toString());
        assertTrue(
                reports.getFirst().contains("failed while sampling, after step 1: injected failure"),
                reports.toString());
        try (ShardedEngine engine = engine(mesh, CONFIG, TWO, kernels)) {
            HostRuntime.get().device(0).faults().failLaunch("d0_block.weights_push", 2);
            DeviceFailedException failed = assertThrows(DeviceFailedException.class, () -> sampled(engine, TWO));
            assertTrue(String.valueOf(failed.getMessage()).startsWith("device 0: "), failed.getMessage());
        }
    }

    /** Guidance is left out of a step, and comes again: the half for the null class then has a pass that nobody reads. */
    @Test
    void samplesNeedNotBeGuided() {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGHEST, Tier.WGMMA);
        SamplingRequest unguided =
                new SamplingRequest(List.of(3, 1), TWO.sampler(), 1, TWO.guidance(), GuidanceInterval.ALWAYS);
        List<float[]> latents = new ArrayList<>();
        for (Mesh mesh : List.of(Mesh.ONE, Mesh.ONE.withHalves(2).withOwners(2))) {
            try (ShardedEngine engine = engine(mesh, CONFIG, TWO, kernels)) {
                latents.add(sampled(engine, unguided));
                latents.add(sampled(engine, TWO));
                latents.add(sampled(engine, TinyModel.request(STEPS, 1)));
            }
        }
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(latents.get(i), latents.get(3 + i), "request " + i);
        }
    }

    /** What does not fit an operand is named by its block, whichever room its weights were in. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 4})
    void overflowsAreNamedByTheirBlocks(int block) {
        DitWeights spoiled = TinyModel.weights(CONFIG, "blocks." + block + ".mlp.fc1.bias", 1e9f);
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGH, Tier.WGMMA);
        for (Mesh mesh : List.of(Mesh.ONE, Mesh.ONE.withHalves(2).withOwners(2))) {
            try (ShardedEngine engine = engine(mesh, CONFIG, spoiled, TWO, kernels)) {
                OverflowException thrown = assertThrows(OverflowException.class, () -> sampled(engine, TWO));
                assertTrue(
                        String.valueOf(thrown.getMessage()).startsWith("the input of blocks." + block + ".mlp.fc2"),
                        mesh + ": " + thrown.getMessage());
            }
        }
    }

    /** Their norms, one behind the other in an array, are a block's weights too. */
    @Test
    void modelsWithNormalizedHeadsShareTheirWeightsToo() {
        DitConfig config = CONFIG.with(true, true, Objective.DIT);
        for (Tier tier : List.of(Tier.PORTABLE, Tier.WGMMA)) {
            KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGH, tier);
            List<float[]> latents = new ArrayList<>();
            for (Mesh mesh : List.of(Mesh.ONE, Mesh.ONE.withHalves(2).withOwners(2))) {
                try (ShardedEngine engine = engine(mesh, config, TWO, kernels)) {
                    latents.add(sampled(engine, TWO));
                }
            }
            assertArrayEquals(latents.get(0), latents.get(1), tier.toString());
        }
    }

    /** All that models of as many blocks allow on up to eight devices, in one step. */
    @ParameterizedTest
    @CsvSource({"2, 2, 14", "4, 4, 11", "8, 8, 6"})
    void everyLegalMeshOfTensorKernels(int owners, int depth, int meshes) {
        KernelOptions kernels = new KernelOptions(MatmulPrecision.HIGH, Tier.WGMMA);
        SamplingRequest one = TinyModel.request(1, 3);
        Mesh.Grain grain = new Mesh.Grain(8, 16, 2, 1);
        DitConfig config = new DitConfig(8, 1, 4, 64, depth, 4, 1.0, 6, true);
        List<Mesh> legal = MeshRequest.candidates(config, true, 1, 8, grain).stream()
                .filter(mesh -> mesh.owners() == 1)
                .map(mesh -> mesh.withOwners(owners))
                .filter(mesh -> mesh.refusal(config, true, grain).isEmpty())
                .toList();
        assertEquals(meshes, legal.size(), legal.toString());
        float[] expected;
        try (ShardedEngine engine = engine(Mesh.ONE, config, one, kernels)) {
            expected = sampled(engine, one);
        }
        for (Mesh mesh : legal) {
            try (ShardedEngine engine = engine(mesh, config, one, kernels)) {
                List<Long> before = engine.bytesReceived();
                assertArrayEquals(expected, sampled(engine, one), mesh.toString());
                requireBytes(mesh, config, 1, 1, grain, before, engine.bytesReceived());
            }
        }
        assertEquals(List.of(), reports);
    }

    /** What devices have got is what the mesh predicts. */
    private static void requireBytes(
            Mesh mesh,
            DitConfig config,
            int steps,
            int samples,
            Mesh.Grain grain,
            List<Long> before,
            List<Long> received) {
        for (int i = 0; i < received.size(); i++) {
            assertEquals(
                    steps * mesh.bytesReceived(config, samples, samples, grain, i % mesh.ranks()),
                    received.get(i) - before.get(i),
                    "bytes of device " + i + ", " + mesh);
        }
    }
}
