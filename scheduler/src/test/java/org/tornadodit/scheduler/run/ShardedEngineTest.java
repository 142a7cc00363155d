package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/** One batch on one to seven virtual devices: the same bits. */
class ShardedEngineTest {
    private final List<String> reports = new ArrayList<>();

    @BeforeEach
    void sevenDevices() {
        HostRuntime.get().setDeviceCount(7);
    }

    @AfterEach
    void oneDevice() {
        HostRuntime.get().setDeviceCount(1);
    }

    @Test
    void anyNumberOfDevicesGivesTheSameBits() {
        SamplingRequest request = TinyModel.request(3, 0, 1, 2, 3, 4);
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
                assertEquals(Math.min(devices, 5), engine.devices());
            }
        }
        assertEquals(List.of(), reports);
    }

    @Test
    void devicesOfDifferentSpeedGiveTheSameBits() {
        SamplingRequest request = TinyModel.request(2, 0, 1, 2, 3, 4);
        float[] expected = sample(request, 1);
        DeviceTeam equal = TinyModel.team(3, 1, reports);
        DeviceTeam team = new DeviceTeam(equal.devices(), List.of(1.0, 3.0, 1.0), equal.policy());
        try (ShardedEngine engine = TinyModel.engine(team, request, false)) {
            assertTrue(engine.description().contains("samples 1 to 3"), engine.description());
            assertArrayEquals(expected, engine.sample(request, TorchRandn.cuda(5), (done, now) -> {}));
        }
    }

    @Test
    void oneDevicesLatentsComeFromThePlainEngineToo() {
        SamplingRequest request = TinyModel.request(2, 3, 1, 2);
        float[] expected;
        try (TornadoEngine engine = TinyModel.plainEngine(request, false)) {
            expected = engine.sample(request, TorchRandn.cuda(5), (done, now) -> {});
        }
        assertArrayEquals(expected, sample(request, 2));
    }

    @Test
    void noiseOfTheHostIsSharedOutAndGoesOnToTheNextBatch() {
        SamplingRequest request = TinyModel.request(3, 3, 1, 2);
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

    /** From any step, on any number of devices, with noise of the device and of the host. */
    @ParameterizedTest
    @EnumSource(
            names = {"EULER", "HEUN", "DOPRI5", "EULER_MARUYAMA", "HEUN_SDE", "MEAN_FLOW"},
            mode = EnumSource.Mode.EXCLUDE)
    void goesOnFromAStateToTheSameBits(SamplingMethod method) {
        SamplingRequest request = TinyModel.request(method, 4, 3, 1, 2);
        for (boolean hostNoise : new boolean[] {false, true}) {
            Supplier<NoiseStream> noise = () -> hostNoise ? TorchRandn.cpu(9) : TorchRandn.cuda(9);
            List<SamplingState> states = new ArrayList<>();
            float[] expected;
            NoiseStream whole = noise.get();
            try (ShardedEngine engine = engine(request, 2, hostNoise)) {
                expected = engine.sample(request, whole, new StepListener() {
                    @Override
                    public void stepDone(int done, Supplier<SamplingState> state) {
                        states.add(state.get());
                    }

                    @Override
                    public boolean wantsState(int done) {
                        return true;
                    }
                });
                assertEquals(4, states.size());
                assertArrayEquals(expected, states.getLast().latents());
            }
            float[] next = whole.next(20);
            try (ShardedEngine engine = engine(request, 3, hostNoise)) {
                for (SamplingState state : states) {
                    NoiseStream resumed = noise.get();
                    List<Integer> steps = new ArrayList<>();
                    assertArrayEquals(
                            expected,
                            engine.sample(request, resumed, state, (done, now) -> steps.add(done)),
                            "from step " + state.done());
                    assertEquals(4 - state.done(), steps.size());
                    assertArrayEquals(next, resumed.next(20), "the stream goes on behind the batch");
                }
                SamplingState foreign = new SamplingState(1, new float[5]);
                assertThrows(
                        IllegalArgumentException.class,
                        () -> engine.sample(request, noise.get(), foreign, (done, now) -> {}));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            names = {"EULER", "HEUN", "DOPRI5", "EULER_MARUYAMA", "HEUN_SDE", "MEAN_FLOW"},
            mode = EnumSource.Mode.EXCLUDE)
    void theCpuEngineGoesOnFromAStateToTheSameBits(SamplingMethod method) {
        SamplingRequest request = TinyModel.request(method, 4, 3, 1, 2);
        List<SamplingState> states = new ArrayList<>();
        try (CpuEngine engine = TinyModel.cpuEngine()) {
            float[] expected = engine.sample(request, TorchRandn.cpu(9), new StepListener() {
                @Override
                public void stepDone(int done, Supplier<SamplingState> state) {
                    states.add(state.get());
                }

                @Override
                public boolean wantsState(int done) {
                    return true;
                }
            });
            for (SamplingState state : states) {
                assertArrayEquals(expected, engine.sample(request, TorchRandn.cpu(9), state, (done, now) -> {}));
            }
        }
    }

    /** A listener may decode in the middle of sampling, as a preview does. */
    @Test
    void decodesInTheMiddleOfSampling() {
        SamplingRequest request = TinyModel.request(2, 3, 1, 2);
        try (ShardedEngine engine = engine(request, 2, false)) {
            List<float[]> pictures = new ArrayList<>();
            List<float[]> states = new ArrayList<>();
            float[] latents = engine.sample(request, TorchRandn.cuda(5), new StepListener() {
                @Override
                public void stepDone(int done, Supplier<SamplingState> now) {
                    if (done == 1) {
                        states.add(now.get().latents());
                        pictures.add(engine.decode(now.get().latents(), 3));
                    }
                }

                @Override
                public boolean wantsState(int done) {
                    return done == 1;
                }
            });
            assertArrayEquals(sample(request, 1), latents);
            assertArrayEquals(engine.decode(states.getFirst(), 3), pictures.getFirst());
        }
    }

    /** Every run takes and gives back devices, threads and memory; the real devices' hundred runs are run by hand. */
    @Test
    void manyRunsLeaveNothingBehind() {
        SamplingRequest request = TinyModel.request(1, 0, 1);
        float[] expected = sample(request, 1);
        long before = TinyModel.deviceBytes();
        for (int run = 0; run < 10; run++) {
            assertArrayEquals(expected, sample(request, 2));
            assertEquals(before, TinyModel.deviceBytes(), "bytes on the devices after run " + run);
        }
        assertEquals(0, before);
        List<String> threads = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().startsWith("device-"))
                .map(Thread::getName)
                .toList();
        assertTrue(threads.size() <= 1, threads.toString()); // the last may not have ended yet
    }

    private float[] sample(SamplingRequest request, int devices) {
        try (ShardedEngine engine = engine(request, devices, false)) {
            return engine.sample(request, TorchRandn.cuda(5), (done, now) -> {});
        }
    }

    private ShardedEngine engine(SamplingRequest request, int devices, boolean hostNoise) {
        return TinyModel.engine(TinyModel.team(devices, 2, reports), request, hostNoise);
    }
}
