package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.diffusion.AdaptiveSampler;
import org.tornadodit.model.diffusion.FlowChoices;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.diffusion.SolverChoices;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/** dopri5: samples with as many steps as each needs, beside one another and others, through failures and from any state on. */
@Timeout(300)
class AdaptiveSamplingTest {
    private static final DitConfig CONFIG = TinyModel.CONFIG.with(true, false, Objective.SIT);
    private static final DitWeights WEIGHTS = TinyModel.weights(CONFIG);
    /** The second needs more steps than the others. */
    private static final List<Integer> LABELS = List.of(3, 0, 5);

    private static final float STRONG = 12;

    private final List<String> reports = new ArrayList<>();

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    private static SamplingRequest request(double scale, List<Integer> labels) {
        FlowChoices choices =
                new FlowChoices(1e-6, 1e-4, FlowChoices.LastStep.MEAN, 0.04, FlowChoices.DiffusionForm.SIGMA, 1);
        return new SamplingRequest(
                labels,
                Objective.SIT.sampler(SamplingMethod.DOPRI5, "", 0, SolverChoices.DEFAULT, choices),
                scale,
                Guidance.FIRST_THREE);
    }

    private static Engine cpu() {
        return new CpuEngine(CONFIG, WEIGHTS, TinyModel.VAE, TinyModel.VAE_WEIGHTS, 1);
    }

    private Engine devices(int count, int samples) {
        HostRuntime.get().setDeviceCount(count);
        return new ShardedEngine(
                TinyModel.team(count, 3, reports),
                CONFIG,
                WEIGHTS,
                TinyModel.VAE,
                TinyModel.VAE_WEIGHTS,
                request(STRONG, IntStream.range(0, samples).boxed().toList()),
                false,
                KernelOptions.DEFAULT);
    }

    /** Keeps all states. */
    private static final class Keeping implements StepListener {
        private final List<SamplingState> states = new ArrayList<>();

        @Override
        public void stepDone(int done, Supplier<SamplingState> state) {
            states.add(state.get());
            assertEquals(done, states.size());
        }

        @Override
        public boolean wantsState(int done) {
            return true;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void goesOnFromAnyState(int devices) {
        SamplingRequest request = request(STRONG, LABELS);
        try (Engine engine = devices == 0 ? cpu() : devices(devices, LABELS.size())) {
            Keeping keeping = new Keeping();
            float[] whole = engine.sample(request, TorchRandn.cuda(7), keeping);
            List<Integer> finished = new ArrayList<>();
            for (SamplingState state : keeping.states) {
                assertEquals(9, state.arrays().size(), "after " + state.done());
                finished.add((int) IntStream.range(0, LABELS.size())
                        .filter(sample -> isFinished(state.part(LABELS.size(), sample, 1)))
                        .count());
                if (state.done() % 5 == 0 || state.done() > keeping.states.size() - 8) {
                    assertArrayEquals(
                            whole,
                            engine.sample(request, TorchRandn.cuda(7), state, (done, now) -> {}),
                            "from " + state.done());
                }
            }
            System.out.println("calls " + keeping.states.size() + ", arrived " + finished);
            assertEquals(LABELS.size(), finished.getLast());
            assertTrue(finished.contains(1) || finished.contains(2), "samples with fewer steps: " + finished);
            assertArrayEquals(whole, keeping.states.getLast().latents());
        }
    }

    private static boolean isFinished(SamplingState ofSample) {
        return ((AdaptiveSampler) request(STRONG, LABELS).sampler()).isFinished(ofSample.done(), ofSample.arrays());
    }

    /** Each by itself, in any company: also of a batch with another sampler, which joins in the middle. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void neighboursChangeNothing(int devices) throws Exception {
        SamplingRequest request = request(STRONG, LABELS);
        SamplingRequest euler = new SamplingRequest(
                List.of(1), Objective.SIT.sampler(SamplingMethod.EULER_MARUYAMA, "9", 0), 4, Guidance.FIRST_THREE);
        try (Engine engine = devices == 0 ? cpu() : devices(devices, LABELS.size() + 1)) {
            float[] alone = engine.sample(request, TorchRandn.cuda(7), (done, now) -> {});
            float[] eulerAlone = engine.sample(euler, TorchRandn.cuda(8), (done, now) -> {});
            List<FutureTask<float[]>> other = new ArrayList<>();
            float[] beside = engine.sample(request, TorchRandn.cuda(7), new StepListener() {
                @Override
                public void stepDone(int done, Supplier<SamplingState> state) {}

                @Override
                public boolean wantsState(int done) { // asked on the engine's thread
                    if (done == 4 && other.isEmpty()) {
                        CountDownLatch there = new CountDownLatch(1);
                        FutureTask<float[]> task =
                                new FutureTask<>(() -> engine.sample(euler, TorchRandn.cuda(8), new StepListener() {
                                    @Override
                                    public void stepDone(int step, Supplier<SamplingState> state) {}

                                    @Override
                                    public void waits() {
                                        there.countDown();
                                    }

                                    @Override
                                    public void begins() {
                                        there.countDown();
                                    }
                                }));
                        other.add(task);
                        Thread.ofPlatform().daemon().start(task);
                        try {
                            assertTrue(there.await(60, TimeUnit.SECONDS));
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                    }
                    return false;
                }
            });
            assertArrayEquals(alone, beside, "dopri5");
            assertArrayEquals(eulerAlone, other.getFirst().get(60, TimeUnit.SECONDS), "Euler-Maruyama");
        }
    }

    @Test
    void aDeviceThatFailsChangesNothing() {
        SamplingRequest request = request(STRONG, LABELS);
        float[] expected;
        try (Engine engine = devices(1, LABELS.size())) {
            expected = engine.sample(request, TorchRandn.cuda(7), (done, now) -> {});
        }
        for (int launch : List.of(2, 3, 9, 20)) { // the first is the warm-up's
            HostRuntime.get().renewDevices();
            HostRuntime.get().setDeviceCount(2);
            HostRuntime.get().device(1).faults().failLaunch("d1_last.step", launch);
            try (Engine engine = devices(2, LABELS.size())) {
                assertArrayEquals(
                        expected,
                        engine.sample(request, TorchRandn.cuda(7), (done, now) -> {}),
                        "failed at launch " + launch);
            }
        }
        assertEquals(4, reports.size(), String.valueOf(reports));
    }

    /** What an engine keeps in its arrays between decisions is what the host makes of the same outputs. */
    @Test
    void aDeviceKeepsWhatTheHostWould() {
        SamplingRequest request = request(STRONG, LABELS);
        Keeping onDevice = new Keeping();
        try (Engine engine = devices(1, LABELS.size())) {
            engine.sample(request, TorchRandn.cuda(7), onDevice);
        }
        AdaptiveSampler sampler = (AdaptiveSampler) request.sampler();
        int stages = 0;
        for (int done = 2; done < 14; done++) { // two steps
            if (sampler.decides(done)) {
                continue;
            }
            for (int i = 0; i < LABELS.size(); i++) {
                List<float[]> before =
                        onDevice.states.get(done - 1).part(LABELS.size(), i, 1).arrays();
                List<float[]> after =
                        onDevice.states.get(done).part(LABELS.size(), i, 1).arrays();
                float[] slope = after.get(3 + (done - 2) % 6);
                List<float[]> expected =
                        new ArrayList<>(sampler.step(done, before).take(1, before, slope, null));
                for (int array = 0; array < after.size(); array++) {
                    assertArrayEquals(expected.get(array), after.get(array), "array " + array + " after " + done);
                }
                stages++;
            }
        }
        assertEquals(2 * 5 * LABELS.size(), stages);
    }

    @Test
    void thePlainEngineRefusesWhatEndsApart() {
        try (Engine engine = TinyModel.plainEngine(TinyModel.request(1, 0, 1, 2), false)) {
            IllegalArgumentException refused = assertThrows(
                    IllegalArgumentException.class,
                    () -> engine.sample(request(1, List.of(0)), TorchRandn.cuda(1), (done, now) -> {}));
            assertEquals(
                    "samples of sampler dopri5 end at steps of their own, those here together", refused.getMessage());
        }
    }
}
