package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.GuidanceInterval;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.DeviceFailedException;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.RerunningRecorder;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.Axis.Exactness;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.virtual.VirtualLink;

/** Virtual devices that do not reach each other's memory: what they exchange goes through the host's, with the same bits. */
class HostLinkTest {
    private static final int STEPS = CrewTest.STEPS;
    private static final DitConfig CONFIG = CrewTest.CONFIG;
    private static final DitWeights WEIGHTS = TinyModel.weights(CONFIG);
    private static final SamplingRequest TWO = TinyModel.request(STEPS, 3, 1);
    private static final KernelOptions PORTABLE = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
    private static final Map<String, float[]> EXPECTED = new ConcurrentHashMap<>();

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    void withoutPeerAccess() {
        VirtualLink.setPeerAccess(false);
    }

    @AfterEach
    void withPeerAccess() {
        VirtualLink.setPeerAccess(true);
        VirtualLink.setHostMemoryLimit(Long.MAX_VALUE);
        VirtualLink.setPatience(null);
        long left = TinyModel.deviceBytes();
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
        assertEquals(0, left, "bytes on the devices");
    }

    private ShardedEngine engine(
            Mesh mesh, VaeConfig vae, DitConfig config, SamplingRequest shape, KernelOptions kernels) {
        DeviceTeam team = TinyModel.team(mesh, 1, reports);
        return new ShardedEngine(team, config, weights(config), vae, TinyModel.vaeWeights(vae), shape, false, kernels);
    }

    private static DitWeights weights(DitConfig config) {
        return config.equals(CONFIG) ? WEIGHTS : TinyModel.weights(config);
    }

    private ShardedEngine engine(Mesh mesh, KernelOptions kernels) {
        return engine(mesh, TinyModel.PIXEL_VAE, CONFIG, TWO, kernels);
    }

    private static float[] sampled(ShardedEngine engine, SamplingRequest request) {
        return engine.sample(request, TorchRandn.cuda(5), (done, now) -> {});
    }

    /** One device's latents; of a mesh that divides sums, those of devices that reach each other. */
    private float[] expected(Mesh mesh, KernelOptions kernels) {
        Mesh like = mesh.exactness() == Exactness.SAME_BITS ? Mesh.ONE : mesh;
        return EXPECTED.computeIfAbsent(like + " " + kernels, any -> {
            VirtualLink.setPeerAccess(true);
            try (ShardedEngine engine = engine(like, kernels)) {
                return sampled(engine, TWO);
            } finally {
                VirtualLink.setPeerAccess(false);
            }
        });
    }

    /** All ways and their products of two, three and four devices. */
    @ParameterizedTest
    @CsvSource({
        "1, 2, 1, 1, 1, 1", "1, 1, 2, 1, 1, 1", "1, 1, 1, 2, 1, 1", "1, 1, 1, 1, 2, 1", "1, 1, 1, 1, 1, 2",
        "1, 1, 4, 1, 1, 1", "1, 1, 1, 4, 1, 1", "1, 2, 2, 1, 1, 1", "1, 2, 1, 2, 1, 1", "1, 1, 2, 2, 1, 1",
        "1, 1, 1, 2, 1, 2", "1, 2, 1, 1, 1, 2", "1, 1, 2, 1, 1, 2", "2, 2, 1, 1, 1, 1", "2, 1, 1, 1, 1, 2",
        "1, 2, 1, 1, 2, 1", "1, 1, 1, 2, 2, 1"
    })
    void portableKernelsGiveTheSameBits(int samples, int halves, int ring, int heads, int tensor, int stages) {
        Mesh mesh = Mesh.ONE
                .withSamples(samples)
                .withHalves(halves)
                .withRing(ring)
                .withHeads(heads)
                .withTensor(tensor)
                .withStages(stages);
        requireBits(stages > 1 ? mesh.withMicroBatches(3 - samples) : mesh, PORTABLE);
    }

    @ParameterizedTest
    @CsvSource({"HIGH, 1, 1, 2", "HIGHEST, 2, 1, 2", "HIGHEST, 2, 2, 1", "HIGHEST, 1, 2, 1"})
    void tensorKernelsGiveTheSameBits(MatmulPrecision precision, int halves, int ring, int heads) {
        Mesh mesh = Mesh.ONE.withHalves(halves).withRing(ring).withHeads(heads);
        requireBits(mesh, new KernelOptions(precision, Tier.WGMMA));
    }

    private void requireBits(Mesh mesh, KernelOptions kernels) {
        float[] expected = expected(mesh, kernels);
        long held = VirtualLink.hostMemoryBytes();
        try (ShardedEngine engine = engine(mesh, kernels)) {
            List<Long> before = engine.bytesReceived();
            assertArrayEquals(expected, sampled(engine, TWO), mesh.toString());
            // As many as go from device to device otherwise.
            CrewTest.requireBytes(mesh, kernels, before, engine.bytesReceived());
            assertTrue(VirtualLink.hostMemoryBytes() > held, "no memory of the host");
        }
        assertEquals(held, VirtualLink.hostMemoryBytes(), "memory of the host that was not given back");
        assertEquals(1, reports.size(), reports.toString());
    }

    /** The half for the null class has no pass then, and gets all of the other's; and again both. */
    @Test
    void halvesOfFewerPassesFetchTheOthers() {
        SamplingRequest unguided =
                new SamplingRequest(List.of(3, 1), TWO.sampler(), 1, TWO.guidance(), GuidanceInterval.ALWAYS);
        float[] expected;
        try (ShardedEngine alone = engine(Mesh.ONE, PORTABLE)) {
            expected = sampled(alone, unguided);
        }
        for (Mesh mesh : List.of(Mesh.ONE.withHalves(2), Mesh.ONE.withStages(2).withMicroBatches(4))) {
            try (ShardedEngine engine = engine(mesh, PORTABLE)) {
                assertArrayEquals(expected, sampled(engine, unguided), mesh.toString());
                assertArrayEquals(expected(mesh, PORTABLE), sampled(engine, TWO), mesh.toString());
            }
        }
    }

    /** A picture that devices decode together, its statistics through the host; and one after it. */
    @ParameterizedTest
    @CsvSource({"2", "4"})
    void aPictureHasTheBitsOfOneDevice(int devices) {
        DitConfig config = new DitConfig(8, 1, 4, 64, 1, 8, 2.0, 6, true);
        VaeConfig vae = new VaeConfig(List.of(16, 16, 16), 1, 4, 3, 4, 1e-6, 0.5, true, true);
        SamplingRequest one = TinyModel.request(1, 1);
        float[] latents = new float[config.inputElements()];
        for (int i = 0; i < latents.length; i++) {
            latents[i] = (float) Math.sin(i);
        }
        float[] expected;
        try (ShardedEngine alone = engine(Mesh.ONE, vae, config, one, PORTABLE)) {
            expected = alone.decode(latents, 1);
        }
        try (ShardedEngine engine = engine(Mesh.ONE.withHeads(devices), vae, config, one, PORTABLE)) {
            for (int picture = 0; picture < 2; picture++) {
                RerunningRecorder.renew();
                assertArrayEquals(expected, engine.decode(latents, 1), "picture " + picture);
                assertEquals(devices, RerunningRecorder.RUN.get(), "devices that decoded it");
            }
        }
    }

    @Test
    void saysWhatItCosts() {
        try (ShardedEngine engine = engine(Mesh.ONE.withHalves(2), PORTABLE)) {
            assertEquals(1, reports.size(), engine.description());
            assertTrue(
                    reports.getFirst()
                            .matches("devices 0, 1 exchange through the host's memory: virtual devices without peer"
                                    + " access\\. Each sends up to 1 KB a step, for which a step should take 0\\.0"
                                    + " ms more than between devices that reach each other \\(at PCIe 4\\.0's"
                                    + " rate\\); \\d+ KB of the host's memory are locked"),
                    reports.getFirst());
        }
    }

    @Test
    void refusesWhereThereIsNoSuchMemory() {
        long held = VirtualLink.hostMemoryBytes();
        VirtualLink.setHostMemoryLimit(held + 50_000); // one device's flags, not two
        DeviceUnavailableException refused = assertThrows(
                DeviceUnavailableException.class,
                () -> engine(Mesh.ONE.withHalves(2), PORTABLE).close());
        assertTrue(
                String.valueOf(refused.getMessage())
                        .matches("devices 0, 1 cannot compute one picture together: virtual devices without peer"
                                + " access, and \\d+ bytes of the host's memory are not to be had; leave out"
                                + " --use-cfg-parallel, .*"),
                refused.getMessage());
        assertEquals(held, VirtualLink.hostMemoryBytes());
    }

    @Test
    void weightsInSharesDoNotGoThroughTheHost() {
        DeviceUnavailableException refused = assertThrows(
                DeviceUnavailableException.class,
                () -> engine(Mesh.ONE.withHalves(2).withOwners(2), PORTABLE).close());
        assertTrue(
                String.valueOf(refused.getMessage())
                        .startsWith("devices 0, 1 cannot compute one picture together: virtual devices without peer"
                                + " access, and blocks' weights go from device to device alone, not through the"
                                + " host's memory;"),
                refused.getMessage());
    }

    /** Who waits for a device that fails waits no longer, and the crew beside them goes on with its sample. */
    @Test
    void aDeviceThatFailsTakesItsCrewOut() {
        float[] expected = expected(Mesh.ONE, PORTABLE);
        try (ShardedEngine engine = engine(Mesh.ONE.withSamples(2).withHeads(2), PORTABLE)) {
            HostRuntime.get().device(1).faults().failLaunch("d1_block.attn_heads", 3);
            assertArrayEquals(expected, sampled(engine, TWO));
            assertEquals(1, engine.devices());
        }
        assertTrue(reports.getLast().startsWith("device 1: "), reports.toString());
        HostRuntime.get().renewDevices(); // a failed device keeps what it held
    }

    @Test
    void theOnlyCrewEndsWithTheDeviceThatFailed() {
        try (ShardedEngine engine = engine(Mesh.ONE.withStages(2).withMicroBatches(2), PORTABLE)) {
            HostRuntime.get().device(0).faults().failLaunch("d0_hand_on.x", 1);
            DeviceFailedException failed = assertThrows(DeviceFailedException.class, () -> sampled(engine, TWO));
            assertTrue(String.valueOf(failed.getMessage()).startsWith("device 0: "), failed.getMessage());
        }
        HostRuntime.get().renewDevices(); // a failed device keeps what it held
    }
}
