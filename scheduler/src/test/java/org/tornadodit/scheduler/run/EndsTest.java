package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tornadodit.host.HostFaults;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.dit.GuidanceInterval;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/** What comes while an engine ends, or a batch. */
class EndsTest {
    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    private static float[] sample(Engine engine, SamplingRequest request) {
        return engine.sample(request, TorchRandn.cuda(5), (done, now) -> {});
    }

    /** Whoever asks again as the last device fails gets an error. */
    @Test
    void nobodyWaitsForDevicesThatHaveFailed() throws InterruptedException {
        SamplingRequest request = TinyModel.request(3, 1);
        for (int round = 0; round < 10; round++) {
            HostRuntime.get().renewDevices();
            HostRuntime.get().setDeviceCount(1);
            try (ShardedEngine engine = TinyModel.engine(TinyModel.team(1, 1, reports), request, false)) {
                HostRuntime.get().device(0).faults().failLaunch("d0_last.step", 2);
                List<Thread> clients = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    clients.add(Thread.ofPlatform().daemon().start(() -> askUntilAllHaveFailed(engine, request)));
                }
                for (Thread client : clients) {
                    client.join(10_000);
                    assertFalse(client.isAlive(), () -> "waits for ever: " + Arrays.toString(client.getStackTrace()));
                }
            }
        }
    }

    private static void askUntilAllHaveFailed(Engine engine, SamplingRequest request) {
        boolean failed = false;
        while (!failed) {
            try {
                sample(engine, request);
            } catch (RuntimeException e) {
                failed = "all devices failed".equals(e.getMessage());
            }
        }
    }

    /** What devices were given to do before is done, and no device is taken for failed. */
    @Test
    void anEngineThatIsClosedDoesFirstWhatItWasGiven() throws InterruptedException, ExecutionException {
        HostRuntime.get().setDeviceCount(2);
        SamplingRequest request = TinyModel.request(3, 1, 2);
        ShardedEngine engine = TinyModel.engine(TinyModel.team(2, 1, reports), request, false);
        float[] latents = sample(engine, request);
        float[] pictures = engine.decode(latents, 2);
        List<FutureTask<float[]>> decodes = new ArrayList<>();
        try (HostFaults.Hold first = HostRuntime.get().device(0).faults().hold();
                HostFaults.Hold second = HostRuntime.get().device(1).faults().hold()) {
            for (int i = 0; i < 3; i++) {
                FutureTask<float[]> decode = new FutureTask<>(() -> engine.decode(latents, 2));
                Thread.ofPlatform().daemon().start(decode);
                decodes.add(decode);
            }
            TimeUnit.MILLISECONDS.sleep(500); // they are given to the devices
            Thread.ofPlatform().start(engine::close);
            TimeUnit.MILLISECONDS.sleep(500); // the release is, behind them
        }
        for (FutureTask<float[]> decode : decodes) {
            assertArrayEquals(pictures, decode.get());
        }
        assertEquals(2, engine.devices());
        assertEquals(List.of(), reports);
    }

    /** A batch may end between a step's preparation and its launch: the graphs that it would have run first have not run. */
    @Test
    void aStepThatWasPreparedAndNotLaunchedIsNotTakenForRun() throws InterruptedException {
        HostRuntime.get().setDeviceCount(1);
        HostRuntime.get().device(0).setComputeUnits(2);
        DitConfig config = new DitConfig(4, 1, 4, 64, 2, 4, 4.0, 6, true);
        DitWeights weights = TinyModel.weights(config);
        SamplingRequest unguided = request(1, 1, GuidanceInterval.ALWAYS);
        SamplingRequest half = request(2, 4, new GuidanceInterval(0.7, 1));
        try (ShardedEngine engine = new ShardedEngine(
                TinyModel.team(1, 10, reports),
                config,
                weights,
                TinyModel.VAE,
                TinyModel.VAE_WEIGHTS,
                request(2, 4, GuidanceInterval.ALWAYS),
                false,
                new KernelOptions(MatmulPrecision.HIGH, Tier.WGMMA))) {
            float[] expected = sample(engine, unguided);
            while (Thread.getAllStackTraces().keySet().stream()
                    .anyMatch(thread -> thread.getName().equals("compile-later"))) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
            float[] wild = new float[5 * config.inputElements()];
            Arrays.fill(wild, 1e30f);
            SamplingState state = new SamplingState(0, wild);
            assertThrows(
                    OverflowException.class, () -> engine.sample(half, TorchRandn.cuda(5), state, StepListener.NONE));
            assertArrayEquals(expected, sample(engine, unguided));
            assertEquals(1, engine.devices());
        }
    }

    @Test
    void whatAListenerThrowsEndsItsBatchAlone() {
        HostRuntime.get().setDeviceCount(1);
        SamplingRequest request = TinyModel.request(3, 1);
        try (ShardedEngine engine = TinyModel.engine(TinyModel.team(1, 1, reports), request, false)) {
            StepListener throwing = new StepListener() {
                @Override
                public void stepDone(int done, Supplier<SamplingState> state) {}

                @Override
                public void reached(int done) {
                    throw new CancellationException("enough");
                }
            };
            assertThrows(CancellationException.class, () -> engine.sample(request, TorchRandn.cuda(5), throwing));
            assertEquals(1, engine.devices());
            sample(engine, request);
        }
    }

    /** Of five samples. */
    private static SamplingRequest request(int steps, double scale, GuidanceInterval interval) {
        return new SamplingRequest(
                List.of(0, 1, 2, 3, 4),
                SamplingMethod.DDIM.of(String.valueOf(steps), 0),
                scale,
                Guidance.FIRST_THREE,
                interval);
    }
}
