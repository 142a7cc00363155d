package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.graph.TensorKernels;
import org.tornadodit.scheduler.run.SampleStep.Draw;

/** Unguided samples, batches smaller than an engine was made for, and samples that have nothing in common but the pass. */
class SamplesStandAloneTest {
    private static final Path SAMPLING = Path.of(System.getProperty("dit.root", ".."), "reference", "data", "sampling");
    private static final DitConfig CONFIG = DitConfig.fromJson(SAMPLING.resolve("config.json"));
    private static final int ELEMENTS = TinyModel.TENSOR_CONFIG.inputElements();
    private static final long SEED = 20261127;

    /** What computes: the CPU engine, or a tier of kernels on a virtual device. */
    enum By {
        CPU,
        PORTABLE,
        TENSOR,
        /** With one product. */
        TENSOR_HIGH;

        KernelOptions options() {
            return new KernelOptions(
                    this == TENSOR_HIGH ? MatmulPrecision.HIGH : MatmulPrecision.HIGHEST,
                    this == PORTABLE ? Tier.PORTABLE : Tier.WGMMA);
        }
    }

    private final List<String> reports = new ArrayList<>();

    @BeforeEach
    void aNewDevice() {
        HostRuntime.get().renewDevices(); // other tests leave what failed devices held, and arrays that no graph frees
    }

    @AfterEach
    void nothingIsLeftOnTheDevice() {
        assertEquals(0, TinyModel.deviceBytes());
    }

    /** {@code --cfg-scale 1}: PyTorch's run of n samples and n noises a step, as facebookresearch/DiT's sample_ddp.py. */
    @ParameterizedTest
    @CsvSource({"CPU, DDPM", "CPU, DDIM", "PORTABLE, DDPM", "TENSOR, DDPM", "TENSOR, DDIM"})
    void unguidedAsPyTorch(By by, SamplingMethod sampler) throws IOException {
        List<Integer> labels = List.of(0, 1, 2, 3, 4, 5, 0, 1);
        SamplingRequest request = new SamplingRequest(labels, sampler.of("10", 0), 1.0, Guidance.FIRST_THREE);
        try (Checkpoint checkpoint = Checkpoints.open(SAMPLING.resolve("checkpoint.pt"));
                Engine engine = any(by, DitWeights.load(checkpoint, CONFIG), request)) {
            float[] latents = engine.sample(request, TorchRandn.cuda(0), (done, now) -> {});
            TensorAssert.assertRelativeError(
                    by + " " + sampler + " unguided latents",
                    Shape.of(8, CONFIG.inChannels(), CONFIG.inputSize(), CONFIG.inputSize()),
                    latents,
                    NpyFile.read(SAMPLING.resolve(sampler.name().toLowerCase(Locale.ROOT) + "-unguided")
                                    .resolve("latents.npy"))
                            .floats(),
                    by == By.CPU ? 4e-6 : 2e-5);
        }
    }

    /** From latents that are given, without noise: what a sample becomes is the same in any batch. */
    @ParameterizedTest
    @EnumSource(value = By.class, mode = EnumSource.Mode.EXCLUDE, names = "CPU")
    void anySmallerBatchHasTheBitsOfTheLargest(By by) {
        SamplingRequest largest = request(9, 4.0);
        float[] latents = latents(9, SEED);
        try (TornadoEngine engine = TinyModel.plainTensorEngine(largest, by.options())) {
            float[] all = sampled(engine, largest, latents);
            float[] unguided = sampled(engine, request(9, 1.0), latents);
            assertFalse(Arrays.equals(all, unguided), "guidance changes something");
            for (int count = 8; count >= 1; count--) {
                float[] first = Arrays.copyOf(latents, count * ELEMENTS);
                String what = count + " of 9 samples";
                List<HostDevice> one = devices(1);
                assertPrefix(all, sampled(engine, request(count, 4.0), first), what);
                requireTensorKernels(by, one);
                one.forEach(HostDevice::resetMeters);
                assertPrefix(unguided, sampled(engine, request(count, 1.0), first), what + ", unguided");
                requireTensorKernels(by, one);
            }
            assertArrayEquals(all, sampled(engine, largest, latents), "9 again, after 1");
            assertThrows(IllegalArgumentException.class, () -> sampled(engine, request(10, 4.0), latents(10, SEED)));
        }
    }

    /** The first devices, which have run nothing so far. */
    private static List<HostDevice> devices(int count) {
        List<HostDevice> devices = HostRuntime.get().devices().subList(0, count);
        devices.forEach(HostDevice::resetMeters);
        return devices;
    }

    private static void requireTensorKernels(By by, List<HostDevice> devices) {
        if (by != By.PORTABLE) {
            TensorKernels.requireDenoiser(devices);
        }
    }

    /** What is divided among devices, one of them faster: each batch has the bits of the largest on one. */
    @ParameterizedTest
    @CsvSource({"TENSOR, 3", "TENSOR_HIGH, 3", "TENSOR, 2"})
    void anyBatchOnSeveralDevicesHasTheBitsOfOne(By by, int count) {
        SamplingRequest largest = request(9, 4.0);
        float[] latents = latents(9, SEED);
        float[] all;
        float[] unguided;
        float[] images;
        try (TornadoEngine engine = TinyModel.plainTensorEngine(largest, by.options())) {
            all = sampled(engine, largest, latents);
            unguided = sampled(engine, request(9, 1.0), latents);
            images = engine.decode(all, 9);
        }
        HostRuntime.get().setDeviceCount(count);
        try {
            DeviceTeam equal = TinyModel.team(count, 1, reports);
            DeviceTeam team =
                    new DeviceTeam(equal.devices(), List.of(1.0, 2.0, 1.0).subList(0, count), equal.policy());
            try (ShardedEngine engine = TinyModel.tensorEngine(team, largest, by.options())) {
                List<HostDevice> devices = devices(count);
                for (int samples = 9; samples >= 1; samples--) {
                    float[] first = Arrays.copyOf(latents, samples * ELEMENTS);
                    String what = samples + " samples on " + count + " devices";
                    assertPrefix(all, sampled(engine, request(samples, 4.0), first), what);
                    requireTensorKernels(by, devices);
                    devices.forEach(HostDevice::resetMeters);
                    assertPrefix(unguided, sampled(engine, request(samples, 1.0), first), what + ", unguided");
                    requireTensorKernels(by, devices);
                    devices.forEach(HostDevice::resetMeters);
                }
                assertPrefix(
                        images,
                        engine.decode(Arrays.copyOf(all, 5 * ELEMENTS), 5),
                        "5 pictures on " + count + " devices");
                TensorKernels.requireDecoder(devices);
            }
        } finally {
            assertEquals(0, TinyModel.deviceBytes());
            HostRuntime.get().setDeviceCount(1);
        }
        assertEquals(List.of(), reports);
    }

    private static void assertPrefix(float[] all, float[] some, String what) {
        assertArrayEquals(Arrays.copyOf(all, some.length), some, what);
    }

    /** Labels, steps, guidance, samplers and noise mixed: each sample's bits are those that it has alone. */
    @ParameterizedTest
    @EnumSource(value = By.class, mode = EnumSource.Mode.EXCLUDE, names = "CPU")
    void aMixtureHasTheBitsOfItsSamples(By by) {
        List<SampleStep> mixture = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            mixture.add(new SampleStep(
                    i,
                    SamplingMethod.values()[i].of("10", 0.5).step(2 * i),
                    1 + i,
                    i == 0 || i == 3 ? 0 : i == 1 ? 4 : 3,
                    new Draw(77 + i, 5L * i, 512, 3 * i),
                    SampleStep.Later.UNKNOWN));
        }
        List<float[]> state = List.of(latents(5, SEED), latents(5, SEED + 1), latents(5, SEED + 2));
        try (TornadoEngine engine = TinyModel.plainTensorEngine(request(5, 4.0), by.options())) {
            List<HostDevice> one = devices(1);
            List<float[]> together = step(engine, mixture, state);
            requireTensorKernels(by, one);
            for (int i = 0; i < 5; i++) {
                assertSame(part(together, i), step(engine, List.of(mixture.get(i)), part(state, i)), i + " alone");
            }
            // In another order, so that samples have other neighbours and other rows.
            List<float[]> back = step(engine, mixture.reversed(), reversed(state));
            for (int i = 0; i < 5; i++) {
                assertSame(part(together, i), part(back, 4 - i), i + " among others");
            }
        }
    }

    /** @param state latents of all samples, then their history */
    private static List<float[]> step(TornadoEngine engine, List<SampleStep> samples, List<float[]> state) {
        List<Integer> indices = IntStream.range(0, samples.size()).boxed().toList();
        engine.begin(indices.stream().map(i -> part(state, i)).toList());
        engine.step(samples, List.of(), 1);
        List<List<float[]>> after =
                engine.read(indices.stream().map(i -> state.size()).toList());
        List<float[]> joined = state.stream()
                .map(array -> new float[samples.size() * ELEMENTS])
                .toList();
        for (int i : indices) {
            for (int array = 0; array < state.size(); array++) {
                System.arraycopy(after.get(i).get(array), 0, joined.get(array), i * ELEMENTS, ELEMENTS);
            }
        }
        return joined;
    }

    private static void assertSame(List<float[]> expected, List<float[]> actual, String what) {
        assertArrayEquals(expected.getFirst(), actual.getFirst(), "sample " + what);
        assertArrayEquals(expected.get(1), actual.get(1), "history of sample " + what);
        assertArrayEquals(expected.get(2), actual.get(2), "second history of sample " + what);
    }

    private static List<float[]> part(List<float[]> state, int sample) {
        return state.stream()
                .map(array -> Arrays.copyOfRange(array, sample * ELEMENTS, (sample + 1) * ELEMENTS))
                .toList();
    }

    /** Five samples, the last first. */
    private static List<float[]> reversed(List<float[]> state) {
        return state.stream()
                .map(array -> {
                    float[] turned = new float[array.length];
                    for (int i = 0; i < 5; i++) {
                        System.arraycopy(array, (4 - i) * ELEMENTS, turned, i * ELEMENTS, ELEMENTS);
                    }
                    return turned;
                })
                .toList();
    }

    private static SamplingRequest request(int samples, double scale) {
        List<Integer> labels =
                IntStream.range(0, samples).mapToObj(i -> i * 5 % 6).toList();
        return new SamplingRequest(labels, SamplingMethod.DDIM.of("2", 0), scale, Guidance.FIRST_THREE);
    }

    /** Normals, printed with their seed. */
    private static float[] latents(int samples, long seed) {
        System.out.println("latents of seed " + seed);
        Random random = new Random(seed);
        float[] latents = new float[samples * ELEMENTS];
        for (int i = 0; i < latents.length; i++) {
            latents[i] = (float) random.nextGaussian();
        }
        return latents;
    }

    /** What latents before the last step of two become. */
    private static float[] sampled(Engine engine, SamplingRequest request, float[] latents) {
        return engine.sample(request, TorchRandn.cuda(0), new SamplingState(1, latents), (done, now) -> {});
    }

    private static Engine any(By by, DitWeights weights, SamplingRequest request) {
        return by == By.CPU
                ? new CpuEngine(CONFIG, weights, TinyModel.VAE, TinyModel.VAE_WEIGHTS, 2)
                : new TornadoEngine(
                        TornadoDevices.list().getFirst(),
                        "alone_",
                        CONFIG,
                        weights,
                        TinyModel.VAE,
                        TinyModel.VAE_WEIGHTS,
                        request,
                        false,
                        by.options());
    }
}
