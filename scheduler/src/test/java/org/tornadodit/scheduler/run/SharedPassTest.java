package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.graph.TensorKernels;

/** Batches of several threads that share passes: the bits of each alone; who waits, joins, leaves and fails. */
@Timeout(300)
class SharedPassTest {
    private static final int PLACES = 4;

    /** Two guided samples that are at work when the others come: one unguided, and two of which one has to wait. */
    private static final List<SamplingRequest> MIXTURE = List.of(
            request(SamplingMethod.DDPM, 3, 4.0, 0, 1),
            request(SamplingMethod.DDIM, 2, 1.0, 2),
            request(SamplingMethod.UNIPC, 3, 2.5, 3, 4));

    private static final Map<String, List<float[]>> ALONE = new HashMap<>();

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices(); // a failed device keeps what it held
        HostRuntime.get().setDeviceCount(1);
    }

    private static SamplingRequest request(SamplingMethod method, int steps, double scale, Integer... labels) {
        return new SamplingRequest(List.of(labels), method.of(String.valueOf(steps), 0.5), scale, Guidance.FIRST_THREE);
    }

    /** The noise of a batch: a generator of its own. */
    private static NoiseStream noise(int batch, boolean host) {
        return host ? TorchRandn.cpu(40 + batch) : TorchRandn.cuda(40 + batch);
    }

    private Engine engine(String kernels, int devices, boolean hostNoise) {
        if (kernels.equals("CPU")) {
            return TinyModel.cpuEngine(PLACES);
        }
        HostRuntime.get().setDeviceCount(devices);
        DeviceTeam team = TinyModel.team(devices, 1, reports);
        SamplingRequest largest = request(SamplingMethod.DDPM, 1, 4.0, 0, 1, 2, 3);
        return kernels.equals("PORTABLE")
                ? TinyModel.engine(team, largest, hostNoise)
                : TinyModel.tensorEngine(team, largest, hostNoise, MatmulPrecision.valueOf(kernels));
    }

    private List<float[]> alone(String kernels, boolean hostNoise) {
        return ALONE.computeIfAbsent(kernels + hostNoise, any -> {
            try (Engine engine = engine(kernels, 1, hostNoise)) {
                List<float[]> latents = new ArrayList<>();
                for (int i = 0; i < MIXTURE.size(); i++) {
                    latents.add(engine.sample(MIXTURE.get(i), noise(i, hostNoise), (done, now) -> {}));
                }
                return latents;
            }
        });
    }

    /** Labels, steps, samplers, guidance, noise, and where a device fails in its third step. */
    @ParameterizedTest
    @CsvSource({
        "CPU, 1, false, -1",
        "CPU, 1, true, -1",
        "PORTABLE, 2, true, -1",
        "HIGHEST, 1, false, -1",
        "HIGHEST, 2, false, -1",
        "HIGHEST, 3, false, -1",
        "HIGH, 3, false, -1",
        "HIGHEST, 3, false, 1",
        "PORTABLE, 2, true, 0"
    })
    void aMixtureOfBatchesHasTheBitsOfEachAlone(String kernels, int devices, boolean hostNoise, int failing)
            throws Exception {
        List<float[]> alone = alone(kernels, hostNoise);
        HostRuntime.get().setDeviceCount(devices);
        if (failing >= 0) {
            HostRuntime.get()
                    .device(failing)
                    .faults()
                    .failLaunch("d" + failing + "_last.step", 4); // after the warm-up's
        }
        try (Engine engine = engine(kernels, devices, hostNoise)) {
            HostRuntime.get().devices().forEach(HostDevice::resetMeters);
            List<FutureTask<float[]>> others = new ArrayList<>();
            float[] first = engine.sample(MIXTURE.getFirst(), noise(0, hostNoise), new StepListener() {
                @Override
                public void stepDone(int done, Supplier<SamplingState> state) {}

                /** Asked on the engine's thread: no step is done before the others are there. */
                @Override
                public boolean wantsState(int done) {
                    if (others.isEmpty()) {
                        for (int i = 1; i < MIXTURE.size(); i++) {
                            int batch = i;
                            CountDownLatch there = new CountDownLatch(1);
                            others.add(inBackground(engine, MIXTURE.get(i), noise(batch, hostNoise), there));
                            await(there);
                        }
                    }
                    return false;
                }
            });
            assertArrayEquals(alone.getFirst(), first, "the first batch");
            for (int i = 1; i < MIXTURE.size(); i++) {
                assertArrayEquals(alone.get(i), others.get(i - 1).get(), "batch " + i);
            }
            if (kernels.startsWith("HIGH")) {
                TensorKernels.requireDenoiser(HostRuntime.get().devices().stream()
                        .filter(device -> device.index() != failing)
                        .toList());
            }
        }
        assertEquals(failing < 0 ? 0 : 1, reports.size(), reports.toString());
        if (failing >= 0) {
            assertTrue(reports.getFirst().startsWith("device " + failing + ": "), reports.getFirst());
            assertTrue(reports.getFirst().contains("failed while sampling, after step"), reports.getFirst());
        }
    }

    /** @param there counts down when the batch waits or has begun */
    private static FutureTask<float[]> inBackground(
            Engine engine, SamplingRequest request, NoiseStream noise, CountDownLatch there) {
        return inBackground(engine, request, noise, new StepListener() {
            @Override
            public void stepDone(int done, Supplier<SamplingState> state) {}

            @Override
            public void waits() {
                there.countDown();
            }

            @Override
            public void begins() {
                there.countDown();
            }
        });
    }

    private static FutureTask<float[]> inBackground(
            Engine engine, SamplingRequest request, NoiseStream noise, StepListener listener) {
        FutureTask<float[]> task = new FutureTask<>(() -> engine.sample(request, noise, listener));
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(100, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new CancellationException("interrupted");
        }
    }

    /** Has a place until it is released. Of a listener that is behind on a busy machine the place would go to others. */
    private static final class Occupant implements StepListener {
        private final CountDownLatch atWork = new CountDownLatch(1);
        private final CountDownLatch released = new CountDownLatch(1);
        private final boolean cancels;

        /** @param cancels whether it takes its batch back, once it is released */
        Occupant(boolean cancels) {
            this.cancels = cancels;
        }

        void awaitPlace() {
            await(atWork);
        }

        void release() {
            released.countDown();
        }

        @Override
        public void stepDone(int done, Supplier<SamplingState> state) {
            if (cancels) {
                throw new CancellationException("enough");
            }
        }

        /** On the engine's thread, which does no further step meanwhile. */
        @Override
        public boolean wantsState(int done) {
            atWork.countDown();
            await(released);
            return false;
        }
    }

    /** A value that does not fit is one batch's fault: its neighbours do the step again without it. */
    @ParameterizedTest
    @ValueSource(strings = {"CPU", "HIGH"})
    void aNeighboursOverflowChangesNothing(String kernels) throws Exception {
        SamplingRequest wild = request(SamplingMethod.DDPM, 3, 1e38, 5);
        List<float[]> alone = alone(kernels, false);
        try (Engine engine = engine(kernels, 1, false)) {
            List<FutureTask<float[]>> others = new ArrayList<>();
            float[] calm = engine.sample(MIXTURE.getFirst(), noise(0, false), new StepListener() {
                @Override
                public void stepDone(int done, Supplier<SamplingState> state) {}

                @Override
                public boolean wantsState(int done) {
                    if (others.isEmpty()) {
                        CountDownLatch there = new CountDownLatch(1);
                        others.add(inBackground(engine, wild, noise(7, false), there));
                        await(there);
                    }
                    return false;
                }
            });
            assertArrayEquals(alone.getFirst(), calm);
            ExecutionException failure = assertThrows(ExecutionException.class, others.getFirst()::get);
            assertTrue(failure.getCause() instanceof OverflowException, failure.toString());
            assertArrayEquals(
                    alone.get(1),
                    engine.sample(MIXTURE.get(1), noise(1, false), (done, now) -> {}),
                    "the engine is well");
        }
    }

    /** One place, and three batches that come one after the other while it is taken; it is free when its batch is cancelled. */
    @Test
    void firstComeFirstServedOnceAPlaceIsFree() throws Exception {
        SamplingRequest one = request(SamplingMethod.DDIM, 2, 1.0, 3);
        SamplingRequest endless = request(SamplingMethod.DDPM, 900, 4.0, 0);
        List<Integer> begun = Collections.synchronizedList(new ArrayList<>());
        try (CpuEngine engine = TinyModel.cpuEngine(1)) {
            float[] alone = engine.sample(one, noise(1, false), (done, now) -> {});
            Occupant occupant = new Occupant(true);
            FutureTask<float[]> first = inBackground(engine, endless, noise(0, false), occupant);
            occupant.awaitPlace();
            List<FutureTask<float[]>> others = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int batch = i;
                CountDownLatch waits = new CountDownLatch(1);
                others.add(inBackground(engine, one, noise(1, false), new StepListener() {
                    @Override
                    public void stepDone(int done, Supplier<SamplingState> state) {}

                    @Override
                    public void waits() {
                        waits.countDown();
                    }

                    /** On the engine's thread, so that the order is the engine's. */
                    @Override
                    public boolean wantsState(int done) {
                        begun.add(batch);
                        return false;
                    }
                }));
                await(waits);
            }
            occupant.release();
            ExecutionException cancelled = assertThrows(ExecutionException.class, first::get);
            assertTrue(cancelled.getCause() instanceof CancellationException, cancelled.toString());
            for (FutureTask<float[]> other : others) {
                assertArrayEquals(alone, other.get());
            }
            assertEquals(List.of(0, 0, 1, 1, 2, 2), begun, "who did its steps when");
        }
    }

    /** A listener that is far behind gives its batch's place to others meanwhile, and loses nothing. */
    @Test
    void aSlowListenerHoldsUpItsOwnBatchOnly() throws Exception {
        SamplingRequest slow = request(SamplingMethod.DDPM, 50, 4.0, 0);
        SamplingRequest quick = request(SamplingMethod.DDIM, 2, 1.0, 3);
        try (CpuEngine engine = TinyModel.cpuEngine(1)) {
            float[] alone = engine.sample(slow, noise(0, false), (done, now) -> {});
            List<Integer> told = new ArrayList<>();
            float[] latents = engine.sample(slow, noise(0, false), (done, now) -> {
                told.add(done);
                if (done == 1) { // would wait for ever, if the place were kept
                    engine.sample(quick, noise(1, false), (step, state) -> {});
                }
            });
            assertArrayEquals(alone, latents);
            assertEquals(50, told.size());
            assertEquals(50, told.getLast());
        }
    }

    /** What waits is taken back when it refuses to, and when the engine is closed. */
    @Test
    void waitingEndsWithARefusalAndWhenTheEngineIsClosed() throws Exception {
        SamplingRequest endless = request(SamplingMethod.DDPM, 900, 4.0, 0);
        CpuEngine engine = TinyModel.cpuEngine(1);
        try (engine) {
            Occupant occupant = new Occupant(false);
            FutureTask<float[]> running = inBackground(engine, endless, noise(0, false), occupant);
            occupant.awaitPlace();
            IllegalStateException full = new IllegalStateException("full");
            assertEquals(
                    full,
                    assertThrows(
                            IllegalStateException.class,
                            () -> engine.sample(endless, noise(1, false), new StepListener() {
                                @Override
                                public void stepDone(int done, Supplier<SamplingState> state) {}

                                @Override
                                public void waits() {
                                    throw full;
                                }
                            })));
            CountDownLatch there = new CountDownLatch(1);
            FutureTask<float[]> waiting = inBackground(engine, endless, noise(2, false), there);
            await(there);
            occupant.release();
            engine.close();
            for (FutureTask<float[]> each : List.of(running, waiting)) {
                ExecutionException closed = assertThrows(ExecutionException.class, each::get);
                assertEquals(
                        new CancellationException("the engine was closed").toString(),
                        String.valueOf(closed.getCause()));
            }
        }
        assertThrows(IllegalStateException.class, () -> engine.sample(endless, noise(0, false), (done, now) -> {}));
    }

    /** Pictures that are decoded from several threads, while a device fails at it and steps are done. */
    @Test
    void severalThreadsDecodeWhileADeviceFails() throws Exception {
        float[] latents = alone("PORTABLE", true).getFirst();
        float[] expected;
        try (Engine engine = engine("PORTABLE", 1, true)) {
            expected = engine.decode(latents, 2);
        }
        HostRuntime.get().setDeviceCount(3);
        HostRuntime.get().device(1).faults().failLaunch("d1_vae_tail_8_3_16.images", 2);
        try (Engine engine = engine("PORTABLE", 3, true)) {
            FutureTask<float[]> sampling = inBackground(engine, MIXTURE.get(2), noise(2, true), (done, now) -> {});
            List<FutureTask<float[]>> pictures = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                FutureTask<float[]> task = new FutureTask<>(() -> engine.decode(latents, 2));
                Thread.ofPlatform().daemon().start(task);
                pictures.add(task);
            }
            for (FutureTask<float[]> each : pictures) {
                assertArrayEquals(expected, each.get());
            }
            assertArrayEquals(alone("PORTABLE", true).get(2), sampling.get());
        }
        assertEquals(1, reports.size(), reports.toString());
        assertTrue(reports.getFirst().contains("failed while decoding"), reports.getFirst());
    }

    /** Options are compared by name above. */
    @Test
    void tensorEnginesAreOnTensorCores() {
        try (ShardedEngine engine = TinyModel.tensorEngine(
                TinyModel.team(1, 1, reports),
                request(SamplingMethod.DDPM, 1, 4.0, 0),
                new KernelOptions(MatmulPrecision.HIGH, Tier.WGMMA))) {
            assertTrue(engine.description().contains("wgmma"), engine.description());
            assertThrows(
                    IllegalArgumentException.class,
                    () -> engine.sample(MIXTURE.getFirst(), noise(0, false), (done, now) -> {}),
                    "two samples");
            assertThrows(
                    IllegalArgumentException.class,
                    () -> engine.sample(request(SamplingMethod.DDPM, 1, 4.0, 0), noise(0, true), (done, now) -> {}),
                    "noise of the host");
        }
    }
}
