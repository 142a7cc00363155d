package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
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
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.graph.TensorKernels;

/** Models that predict a velocity on devices: as on the CPU, on any number of them, from any step on. */
class VelocityEngineTest {
    private static final List<Integer> LABELS = List.of(3, 0, 5);

    @BeforeEach
    void threeDevices() {
        HostRuntime.get().setDeviceCount(3);
    }

    @AfterEach
    void oneDevice() {
        HostRuntime.get().setDeviceCount(1);
    }

    static Stream<Arguments> samplers() {
        return Stream.of(Objective.SIT, Objective.REPA, Objective.MEANFLOW)
                .flatMap(objective -> objective.samplers().stream().map(method -> Arguments.of(objective, method)));
    }

    @ParameterizedTest
    @MethodSource("samplers")
    void devicesSampleWhatTheCpuDoes(Objective objective, SamplingMethod method) {
        DitConfig config = TinyModel.CONFIG.with(objective == Objective.SIT, false, objective);
        DitWeights weights = TinyModel.weights(config);
        SamplingRequest request = new SamplingRequest(
                LABELS,
                objective.sampler(method, "3", 0),
                2,
                objective.guidesAllChannels() ? Guidance.ALL : Guidance.FIRST_THREE,
                new GuidanceInterval(0.1, 0.8));
        List<SamplingState> states = new ArrayList<>();
        float[] expected;
        try (CpuEngine cpu = new CpuEngine(config, weights, TinyModel.VAE, TinyModel.VAE_WEIGHTS, 1)) {
            expected = cpu.sample(request, TorchRandn.cuda(7), (done, now) -> {});
        }
        float[] one;
        try (ShardedEngine engine = engine(1, config, weights, request)) {
            one = engine.sample(request, TorchRandn.cuda(7), new StepListener() {
                @Override
                public void stepDone(int done, Supplier<SamplingState> state) {
                    states.add(state.get());
                }

                @Override
                public boolean wantsState(int done) {
                    return true;
                }
            });
        }
        TensorAssert.assertRelativeError(
                objective + " " + method,
                Shape.of(LABELS.size(), 4, 2, 2),
                one,
                expected,
                method.adaptive() ? 1e-4 : 2e-6);
        try (ShardedEngine engine = engine(3, config, weights, request)) {
            assertArrayEquals(one, engine.sample(request, TorchRandn.cuda(7), (done, now) -> {}), "three devices");
            if (!method.adaptive()) {
                assertEquals(request.steps(), states.size());
            }
            SamplingState middle = states.get((states.size() - 1) / 2);
            if (middle.done() < states.size()) {
                assertArrayEquals(
                        one, engine.sample(request, TorchRandn.cuda(7), middle, (done, now) -> {}), "from the middle");
            }
        }
    }

    /** On both tiers; the tensor cores' with each precision. */
    @ParameterizedTest
    @ValueSource(strings = {"portable", "wgmma", "wgmma high"})
    void queriesAndKeysAreNormalized(String kernels) {
        boolean tensor = kernels.startsWith("wgmma");
        DitConfig config = (tensor ? TinyModel.TENSOR_CONFIG : TinyModel.CONFIG).with(true, true, Objective.REPA);
        DitWeights weights = TinyModel.weights(config);
        SamplingRequest request = new SamplingRequest(
                LABELS.subList(0, 2), Objective.REPA.sampler(SamplingMethod.EULER, "2", 0), 2, Guidance.ALL);
        KernelOptions options = new KernelOptions(
                kernels.endsWith("high") ? MatmulPrecision.HIGH : MatmulPrecision.HIGHEST,
                tensor ? KernelOptions.Tier.WGMMA : KernelOptions.Tier.PORTABLE);
        VaeConfig vae = tensor ? TinyModel.TENSOR_VAE : TinyModel.VAE;
        VaeWeights vaeWeights = TinyModel.vaeWeights(vae);
        float[] expected;
        try (CpuEngine cpu = new CpuEngine(config, weights, vae, vaeWeights, 1)) {
            expected = cpu.sample(request, TorchRandn.cuda(7), (done, now) -> {});
        }
        try (ShardedEngine engine = new ShardedEngine(
                TinyModel.team(1, 1, new ArrayList<>()), config, weights, vae, vaeWeights, request, false, options)) {
            HostDevice device = HostRuntime.get().device(0);
            device.resetMeters();
            TensorAssert.assertRelativeError(
                    kernels,
                    Shape.of(2, 4, config.inputSize(), config.inputSize()),
                    engine.sample(request, TorchRandn.cuda(7), (done, now) -> {}),
                    expected,
                    kernels.endsWith("high") ? 1e-3 : 2e-6);
            if (tensor) {
                TensorKernels.requireDenoiserWithHeadNorms(List.of(device));
            }
        }
    }

    /** Outside of the interval a DiT's samples are as without guidance. */
    @Test
    void guidanceIsOnInItsInterval() {
        DitConfig config = TinyModel.CONFIG;
        DitWeights weights = TinyModel.weights(config);
        SamplingRequest always = new SamplingRequest(LABELS, SamplingMethod.DDIM.of("4", 0), 4, Guidance.FIRST_THREE);
        List<float[]> latents = new ArrayList<>();
        try (ShardedEngine engine = engine(2, config, weights, always);
                CpuEngine cpu = new CpuEngine(config, weights, TinyModel.VAE, TinyModel.VAE_WEIGHTS, 1)) {
            for (GuidanceInterval interval : List.of(
                    GuidanceInterval.ALWAYS, new GuidanceInterval(0.2, 0.7), new GuidanceInterval(0.9995, 0.9999))) {
                SamplingRequest request =
                        new SamplingRequest(LABELS, always.sampler(), 4, Guidance.FIRST_THREE, interval);
                float[] found = engine.sample(request, TorchRandn.cuda(7), (done, now) -> {});
                TensorAssert.assertRelativeError(
                        String.valueOf(interval),
                        Shape.of(LABELS.size(), 4, 2, 2),
                        found,
                        cpu.sample(request, TorchRandn.cuda(7), (done, now) -> {}),
                        4e-6);
                latents.add(found);
            }
            SamplingRequest never = new SamplingRequest(LABELS, always.sampler(), 1, Guidance.FIRST_THREE);
            assertArrayEquals(
                    engine.sample(never, TorchRandn.cuda(7), (done, now) -> {}), latents.get(2), "no step in it");
        }
        assertFalse(Arrays.equals(latents.get(0), latents.get(1)));
        assertFalse(Arrays.equals(latents.get(1), latents.get(2)));
    }

    private static ShardedEngine engine(int devices, DitConfig config, DitWeights weights, SamplingRequest request) {
        return new ShardedEngine(
                TinyModel.team(devices, 1, new ArrayList<>()),
                config,
                weights,
                TinyModel.VAE,
                TinyModel.VAE_WEIGHTS,
                request,
                false,
                KernelOptions.DEFAULT);
    }
}
