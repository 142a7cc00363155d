package org.tornadodit.scheduler;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.diffusion.Diffusion;
import org.tornadodit.model.diffusion.Sampler;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.io.Checkpoint;
import org.tornadodit.model.io.Checkpoints;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;

/** One batch on one to seven virtual devices: the same bits. */
class ShardedEngineTest {
    private static final Path DATA = Path.of(System.getProperty("dit.root", ".."), "reference", "data");
    private static final int STEPS = 3;

    private Checkpoint checkpoint = Checkpoints.open(DATA.resolve("sampling/checkpoint.pt"));
    private Checkpoint vaeCheckpoint = Checkpoints.openVae(DATA.resolve("vae-tiny"));
    private final DitConfig config = DitConfig.fromJson(DATA.resolve("sampling/config.json"));
    private final VaeConfig vaeConfig = VaeConfig.fromJson(DATA.resolve("vae-tiny"));

    @BeforeEach
    void sevenDevices() {
        HostRuntime.get().setDeviceCount(7);
    }

    @AfterEach
    void oneDevice() {
        HostRuntime.get().setDeviceCount(1);
        checkpoint.close();
        vaeCheckpoint.close();
    }

    @Test
    void anyNumberOfDevicesGivesTheSameBits() {
        SamplingRequest request = request(List.of(0, 1, 2, 3, 4));
        float[] latents = {};
        float[] images = {};
        for (int devices : new int[] {1, 2, 3, 4, 7}) {
            try (ShardedEngine engine = engine(request, devices, false)) {
                List<Integer> steps = new ArrayList<>();
                float[] actual = engine.sample(request, TorchRandn.cuda(5), (done, now) -> steps.add(done));
                float[] decoded = engine.decode(actual, 5);
                assertEquals(List.of(1, 2, 3), steps);
                if (devices == 1) {
                    latents = actual;
                    images = decoded;
                }
                assertArrayEquals(latents, actual, devices + " devices");
                assertArrayEquals(images, decoded, devices + " devices");
                assertTrue(engine.balance().startsWith("devices took "), engine.balance());
            }
        }
    }

    @Test
    void oneDevicesLatentsComeFromThePlainEngineToo() {
        SamplingRequest request = request(List.of(3, 1, 2));
        float[] expected;
        try (TornadoEngine engine = new TornadoEngine(
                TornadoDevices.list().getFirst(),
                "plain_",
                config,
                DitWeights.load(checkpoint, config),
                vaeConfig,
                VaeWeights.load(vaeCheckpoint, vaeConfig),
                request,
                false,
                KernelOptions.DEFAULT)) {
            expected = engine.sample(request, TorchRandn.cuda(1), (done, now) -> {});
        }
        try (ShardedEngine engine = engine(request, 2, false)) {
            assertArrayEquals(expected, engine.sample(request, TorchRandn.cuda(1), (done, now) -> {}));
        }
    }

    @Test
    void noiseOfTheHostIsSharedOutAndGoesOnToTheNextBatch() {
        SamplingRequest request = request(List.of(3, 1, 2));
        float[][] expected = twoBatches(request, 1);
        float[][] actual = twoBatches(request, 3);
        assertArrayEquals(expected[0], actual[0]);
        assertArrayEquals(expected[1], actual[1]);
    }

    private float[][] twoBatches(SamplingRequest request, int devices) {
        NoiseStream noise = TorchRandn.cpu(9);
        try (ShardedEngine engine = engine(request, devices, true)) {
            return new float[][] {
                engine.sample(request, noise, (done, now) -> {}), engine.sample(request, noise, (done, now) -> {})
            };
        }
    }

    @Test
    void aFailingDeviceIsNamedAndTheOthersStop() {
        SamplingRequest request = request(List.of(0, 1, 2, 3));
        try (ShardedEngine engine = engine(request, 2, false)) {
            HostRuntime.get().device(1).faults().failLaunch("d1_last.step", 2);
            String message = assertThrows(
                            RuntimeException.class, () -> engine.sample(request, TorchRandn.cuda(0), (done, now) -> {}))
                    .toString();
            assertTrue(message.contains("device 1"), message);
        }
    }

    private ShardedEngine engine(SamplingRequest request, int devices, boolean hostNoise) {
        return new ShardedEngine(
                TornadoDevices.list().subList(0, devices),
                config,
                DitWeights.load(checkpoint, config),
                vaeConfig,
                VaeWeights.load(vaeCheckpoint, vaeConfig),
                request,
                hostNoise,
                KernelOptions.DEFAULT);
    }

    private static SamplingRequest request(List<Integer> labels) {
        return new SamplingRequest(
                labels, Diffusion.create(String.valueOf(STEPS)), Sampler.DDPM, 0, 4.0, Guidance.FIRST_THREE);
    }
}
