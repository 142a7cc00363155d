package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/** The real graphs and kernels on tornado-host, against PyTorch's references and the CPU engine. */
class TornadoEngineTest {
    private static final Path DATA = Path.of(System.getProperty("dit.root", ".."), "reference", "data");
    private static final Path SAMPLING = DATA.resolve("sampling");
    private static final List<Integer> LABELS = List.of(0, 1, 2, 3, 4, 5, 0, 1);

    /** What a run of ten steps with another order of float32 sums may be off by, relative to the latents' norm. */
    private static final double LATENTS = 2e-5;

    @ParameterizedTest
    @ValueSource(strings = {"ddpm-3", "ddpm-all", "ddim-3", "ddim-all"})
    void samplesAsPyTorch(String run) throws IOException {
        SamplingRequest request = request(run, LABELS);
        try (Models models = new Models(false);
                TornadoEngine engine = models.engine(request, false, run)) {
            List<Integer> steps = new ArrayList<>();
            float[] latents = engine.sample(request, TorchRandn.cuda(0), (done, now) -> steps.add(done));
            assertEquals(List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), steps);
            TensorAssert.assertRelativeError(
                    run + " latents",
                    models.latentShape(8),
                    latents,
                    NpyFile.read(SAMPLING.resolve(run).resolve("latents.npy")).floats(),
                    LATENTS);
        }
    }

    @Test
    void aSecondBatchIsAsTheFirstAndDecodesAsTheCpuEngine() {
        SamplingRequest request = request("ddpm-3", List.of(4, 1, 3));
        try (Models models = new Models(true);
                TornadoEngine engine = models.engine(request, false, "again");
                CpuEngine cpu = new CpuEngine(models.config, models.weights, models.vaeConfig, models.vaeWeights, 2)) {
            float[] first = engine.sample(request, TorchRandn.cuda(7), (done, now) -> {});
            float[] second = engine.sample(request, TorchRandn.cuda(7), (done, now) -> {});
            assertArrayEquals(first, second);
            float[] images = engine.decode(first, 3);
            float[] expected = cpu.decode(first, 3);
            TensorAssert.assertRelativeError("images", Shape.of(expected.length), images, expected, 1e-5);
        }
    }

    @Test
    void noiseOfTheHostGivesTheCpuEnginesLatents() {
        noiseOfTheHostGivesTheCpuEnginesLatents(request("ddim-all", List.of(2, 5)));
    }

    /** Samplers that remember steps; two of them draw nothing between the noise of two batches. */
    @ParameterizedTest
    @ValueSource(strings = {"dpm++-3", "dpm++sde-3", "unipc-3"})
    void aMultistepSamplerGivesTheCpuEnginesLatents(String run) {
        SamplingRequest guided = request(run, List.of(2, 5));
        noiseOfTheHostGivesTheCpuEnginesLatents(guided);
        SamplingRequest unguided = new SamplingRequest(guided.labels(), guided.sampler(), 1, guided.guidance());
        try (Models models = new Models(false);
                TornadoEngine engine = models.engine(guided, false, "multistep");
                CpuEngine cpu = new CpuEngine(models.config, models.weights, models.vaeConfig, models.vaeWeights, 2)) {
            NoiseStream noise = TorchRandn.cuda(3);
            NoiseStream same = TorchRandn.cuda(3);
            for (SamplingRequest request : List.of(guided, unguided, guided)) {
                TensorAssert.assertRelativeError(
                        "scale " + request.cfgScale(),
                        models.latentShape(2),
                        engine.sample(request, noise, (done, now) -> {}),
                        cpu.sample(request, same, (done, now) -> {}),
                        LATENTS);
            }
        }
    }

    private static void noiseOfTheHostGivesTheCpuEnginesLatents(SamplingRequest request) {
        try (Models models = new Models(false);
                TornadoEngine engine = models.engine(request, true, "host");
                CpuEngine cpu = new CpuEngine(models.config, models.weights, models.vaeConfig, models.vaeWeights, 2)) {
            NoiseStream noise = TorchRandn.cpu(3);
            NoiseStream same = TorchRandn.cpu(3);
            for (int batch = 0; batch < 2; batch++) {
                float[] latents = engine.sample(request, noise, (done, now) -> {});
                float[] expected = cpu.sample(request, same, (done, now) -> {});
                TensorAssert.assertRelativeError("batch " + batch, models.latentShape(2), latents, expected, LATENTS);
            }
        }
    }

    @Test
    void givesTheLatentsOfAnyStepWhenAsked() {
        SamplingRequest request = request("ddpm-3", List.of(4));
        try (Models models = new Models(false);
                TornadoEngine engine = models.engine(request, false, "steps");
                CpuEngine cpu = new CpuEngine(models.config, models.weights, models.vaeConfig, models.vaeWeights, 2)) {
            List<float[]> actual = new ArrayList<>();
            List<float[]> expected = new ArrayList<>();
            engine.sample(request, TorchRandn.cuda(0), everyThird(actual));
            cpu.sample(request, TorchRandn.cuda(0), everyThird(expected));
            assertEquals(3, actual.size());
            for (int i = 0; i < 3; i++) {
                TensorAssert.assertRelativeError(
                        "after step " + (3 * i + 3), models.latentShape(1), actual.get(i), expected.get(i), LATENTS);
            }
        }
    }

    private static StepListener everyThird(List<float[]> latents) {
        return new StepListener() {
            @Override
            public boolean wantsState(int done) {
                return done % 3 == 0;
            }

            @Override
            public void stepDone(int done, Supplier<SamplingState> state) {
                if (wantsState(done)) {
                    latents.add(state.get().latents());
                }
            }
        };
    }

    @Test
    void refusesABatchOfAnotherShape() {
        SamplingRequest request = request("ddpm-3", List.of(0, 1));
        try (Models models = new Models(false);
                TornadoEngine engine = models.engine(request, false, "shape")) {
            SamplingRequest three = request("ddpm-3", List.of(0, 1, 2));
            assertThrows(
                    IllegalArgumentException.class, () -> engine.sample(three, TorchRandn.cuda(0), (done, now) -> {}));
            assertThrows(
                    IllegalArgumentException.class, () -> engine.sample(request, TorchRandn.cpu(0), (done, now) -> {}));
        }
    }

    @Test
    void refusesADeviceThatIsTooSmallBeforeAllocating() {
        SamplingRequest request = request("ddpm-3", List.of(0, 1));
        ListedDevice real = TornadoDevices.list().getFirst();
        ListedDevice small =
                new ListedDevice(0, real.backend(), "Tiny GPU", real.type(), real.capability(), 100_000, real.device());
        try (Models models = new Models(false)) {
            String message = assertThrows(
                            DeviceUnavailableException.class,
                            () -> new TornadoEngine(
                                            small,
                                            "small_",
                                            models.config,
                                            models.weights,
                                            models.vaeConfig,
                                            models.vaeWeights,
                                            request,
                                            false,
                                            KernelOptions.DEFAULT)
                                    .close())
                    .toString();
            assertTrue(message.contains("Tiny GPU is too small") && message.contains("--class-labels"), message);
        }
    }

    @Test
    void theDevicesPassTheirSelfTest() {
        for (ListedDevice device : TornadoDevices.list()) {
            assertTrue(TornadoDevices.selfTest(device), device.toString());
        }
    }

    private static SamplingRequest request(String run, List<Integer> labels) {
        return new SamplingRequest(
                labels,
                SamplingMethod.named(run.substring(0, run.indexOf('-')))
                        .orElseThrow()
                        .of("10", 0),
                4.0,
                run.endsWith("all") ? Guidance.ALL : Guidance.FIRST_THREE);
    }

    /** The tiny models of the references. */
    private static final class Models implements AutoCloseable {
        private final Checkpoint checkpoint = Checkpoints.open(SAMPLING.resolve("checkpoint.pt"));
        private final Checkpoint vaeCheckpoint = Checkpoints.openVae(DATA.resolve("vae-tiny"));
        final DitConfig config = DitConfig.fromJson(SAMPLING.resolve("config.json"));
        final DitWeights weights = DitWeights.load(checkpoint, config);
        final VaeConfig vaeConfig;
        final VaeWeights vaeWeights;

        /** @param decoder whether pictures are wanted; else an autoencoder that is loaded sooner takes its place */
        Models(boolean decoder) {
            vaeConfig = decoder ? VaeConfig.fromJson(DATA.resolve("vae-tiny")) : TinyModel.VAE;
            vaeWeights = decoder ? VaeWeights.load(vaeCheckpoint, vaeConfig) : TinyModel.VAE_WEIGHTS;
        }

        TornadoEngine engine(SamplingRequest request, boolean hostNoise, String name) {
            return new TornadoEngine(
                    TornadoDevices.list().getFirst(),
                    "test_" + name.replace('-', '_') + "_",
                    config,
                    weights,
                    vaeConfig,
                    vaeWeights,
                    request,
                    hostNoise,
                    KernelOptions.DEFAULT);
        }

        Shape latentShape(int samples) {
            return Shape.of(samples, config.inChannels(), config.inputSize(), config.inputSize());
        }

        @Override
        public void close() {
            checkpoint.close();
            vaeCheckpoint.close();
        }
    }
}
