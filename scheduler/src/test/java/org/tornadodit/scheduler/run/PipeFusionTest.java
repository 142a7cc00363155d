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
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.PatchFlow;

/** Patches of the tokens that go through stages of virtual devices, with keys and values of the step before. */
class PipeFusionTest {
    private static final int STEPS = 3;

    /** 16 tokens in four heads, three blocks. */
    private static final DitConfig CONFIG = new DitConfig(4, 1, 4, 32, 3, 4, 2.0, 6, true);

    private static final DitWeights WEIGHTS = TinyModel.weights(CONFIG, 0.3);

    private static final KernelOptions PORTABLE = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);
    private static final SamplingRequest TWO = TinyModel.request(STEPS, 3, 1);

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
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

    private static Mesh mesh(int halves, int stages, int patches, int warmup) {
        return Mesh.ONE.withHalves(halves).withStages(stages).withFlow(new PatchFlow(patches, warmup));
    }

    private float[] alone(DitConfig config, DitWeights weights, SamplingRequest request, KernelOptions kernels) {
        try (ShardedEngine engine = engine(Mesh.ONE, config, weights, request, kernels)) {
            return sampled(engine, request);
        }
    }

    /** What plain loops in float64 give, which is not what one device gives; and as many bytes as the mesh predicts. */
    @ParameterizedTest
    @CsvSource({
        "PORTABLE, HIGHEST, 1, 2, 4, 3e-6",
        "PORTABLE, HIGHEST, 2, 3, 2, 3e-6",
        "WGMMA, HIGHEST, 1, 2, 2, 3e-6",
        "MMA, HIGH, 1, 2, 2, 3e-3"
    })
    void patchesAttendToTheStepBefore(
            Tier tier, MatmulPrecision precision, int halves, int stages, int patches, double bound) {
        KernelOptions kernels = new KernelOptions(precision, tier);
        SamplingRequest two = TinyModel.request(SamplingMethod.DDIM, STEPS, 3, 1);
        float[] expected = StalePatches.sample(CONFIG, WEIGHTS, two, TorchRandn.cuda(5), patches, 1);
        float[] exact = StalePatches.sample(CONFIG, WEIGHTS, two, TorchRandn.cuda(5), patches, STEPS);
        Mesh mesh = mesh(halves, stages, patches, 1);
        Shape shape = Shape.of(2, CONFIG.inChannels(), CONFIG.inputSize(), CONFIG.inputSize());
        try (ShardedEngine engine = engine(mesh, CONFIG, WEIGHTS, two, kernels)) {
            List<Long> before = engine.bytesReceived();
            float[] latents = sampled(engine, two);
            List<Long> received = engine.bytesReceived();
            TensorAssert.assertRelativeError(mesh.toString(), shape, latents, expected, bound);
            if (precision == MatmulPrecision.HIGHEST) { // what is rounded to halves is as far off as what is stale
                assertThrows(
                        AssertionError.class,
                        () -> TensorAssert.assertRelativeError("one device's", shape, latents, exact, 50 * bound));
            }
            for (int i = 0; i < received.size(); i++) {
                assertEquals(
                        STEPS * mesh.bytesReceived(CONFIG, 2, 2, new Mesh.Grain(8, 16, 4, 1), i),
                        received.get(i) - before.get(i),
                        "bytes of device " + i);
            }
            assertArrayEquals(latents, sampled(engine, two), "another run");
        }
        assertEquals(List.of(), reports);
    }

    /** With the keys and values of the step itself in all steps. */
    @ParameterizedTest
    @CsvSource({"PORTABLE, HIGHEST, 1, 3, 4", "WGMMA, HIGHER, 1, 2, 2", "MMA, HIGH, 2, 2, 2"})
    void synchronousStepsGiveTheBitsOfOneDevice(
            Tier tier, MatmulPrecision precision, int halves, int stages, int patches) {
        KernelOptions kernels = new KernelOptions(precision, tier);
        SamplingRequest two = TinyModel.request(2, 3, 1);
        float[] expected = alone(CONFIG, WEIGHTS, two, kernels);
        try (ShardedEngine engine = engine(mesh(halves, stages, patches, 2), CONFIG, WEIGHTS, two, kernels)) {
            assertArrayEquals(expected, sampled(engine, two));
            String words = "patch after patch of %d tokens".formatted(CONFIG.tokens() / patches);
            assertTrue(engine.description().contains(words), engine.description());
        }
        assertEquals(List.of(), reports);
    }

    /** Norms of queries and keys come before they are kept; a model with two times sends the sinusoids of both. */
    @Test
    void modelsWithNormalizedHeadsAndTwoTimes() {
        DitConfig config = CONFIG.with(false, true, Objective.MEANFLOW);
        DitWeights weights = TinyModel.weights(config);
        SamplingRequest request = new SamplingRequest(
                List.of(3, 1),
                Objective.MEANFLOW.sampler(SamplingMethod.MEAN_FLOW, "2", 0),
                2,
                Guidance.ALL,
                GuidanceInterval.ALWAYS);
        float[] expected = alone(config, weights, request, PORTABLE);
        try (ShardedEngine engine = engine(mesh(1, 2, 4, 2), config, weights, request, PORTABLE)) {
            assertArrayEquals(expected, sampled(engine, request));
        }
    }

    /** Of samples that are no longer guided the passes of the step before were others'. */
    @Test
    void aStepWithOtherPassesIsSynchronous() {
        Freshness freshness = new Freshness(2);
        SampleStep plain =
                new SampleStep(1, TWO.sampler().step(0), 1, 0, SampleStep.Draw.NONE, SampleStep.Later.UNKNOWN);
        SampleStep guided =
                new SampleStep(1, TWO.sampler().step(0), 4, 3, SampleStep.Draw.NONE, SampleStep.Later.UNKNOWN);
        List<Boolean> synchronous = new ArrayList<>();
        for (SampleStep next : List.of(guided, guided, guided, plain, plain, guided)) {
            synchronous.add(freshness.isSynchronous(List.of(next, plain)));
        }
        freshness.begin();
        synchronous.add(freshness.isSynchronous(List.of(guided, plain)));
        assertEquals(List.of(true, true, false, true, false, true, true), synchronous);
    }

    /** dopri5 tells how far off it is from differences of what the model says at its stages. */
    @Test
    void stagesAreSynchronous() {
        SampleStep plain =
                new SampleStep(1, TWO.sampler().step(0), 1, 0, SampleStep.Draw.NONE, SampleStep.Later.UNKNOWN);
        SampleStep stage = new SampleStep(
                1,
                Objective.SIT.sampler(SamplingMethod.DOPRI5, "", 0).step(2),
                1,
                0,
                SampleStep.Draw.NONE,
                SampleStep.Later.UNKNOWN);
        Freshness freshness = new Freshness(1);
        List<Boolean> synchronous = new ArrayList<>();
        for (SampleStep next : List.of(plain, plain, stage, stage, plain)) {
            synchronous.add(freshness.isSynchronous(List.of(plain, next)));
        }
        assertEquals(List.of(true, false, true, true, false), synchronous);
    }

    /** The first step after that is synchronous again, so that the end is another than without an interruption. */
    @Test
    void whoGoesOnFromAStateBeginsWithItsOwnKeys() {
        try (ShardedEngine engine = engine(mesh(1, 2, 2, 1), CONFIG, WEIGHTS, TWO, PORTABLE)) {
            List<SamplingState> states = new ArrayList<>();
            StepListener keeping = new StepListener() {
                @Override
                public void stepDone(int done, Supplier<SamplingState> state) {
                    states.add(state.get());
                }

                @Override
                public boolean wantsState(int done) {
                    return true;
                }
            };
            float[] whole = engine.sample(TWO, TorchRandn.cuda(5), SamplingState.START, keeping);
            float[] last = engine.sample(TWO, TorchRandn.cuda(5), states.get(STEPS - 2), StepListener.NONE);
            float[] expected;
            try (ShardedEngine alone = engine(Mesh.ONE, CONFIG, WEIGHTS, TWO, PORTABLE)) {
                expected = alone.sample(TWO, TorchRandn.cuda(5), states.get(STEPS - 2), StepListener.NONE);
            }
            assertArrayEquals(expected, last);
            assertFalse(Arrays.equals(whole, last));
        }
    }

    /** As of any crew: the stage that fails takes the other along, and the crew beside them has its sample from then on. */
    @ParameterizedTest
    @CsvSource({"d0_hand_on.x, 5", "d1_keys.attn_keep, 7", "d1_predict.predictions, 5"})
    void aCrewOfPatchesFailsAsOne(String task, int launch) {
        Mesh mesh = mesh(1, 2, 2, STEPS).withSamples(2);
        float[] expected = alone(CONFIG, WEIGHTS, TWO, PORTABLE);
        try (ShardedEngine engine = engine(mesh, CONFIG, WEIGHTS, TWO, PORTABLE)) {
            HostRuntime.get().device(task.charAt(1) - '0').faults().failLaunch(task, launch);
            assertArrayEquals(expected, sampled(engine, TWO));
            assertEquals(1, engine.devices());
        }
        assertEquals(1, reports.size(), reports.toString());
        assertTrue(reports.getFirst().startsWith("device " + task.charAt(1) + ": "), reports.toString());
    }
}
