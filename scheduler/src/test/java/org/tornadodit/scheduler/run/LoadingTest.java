package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.Mesh;

/** Devices while an engine is loaded: who gets a turn, and what is left on them when nobody wants it any more. */
class LoadingTest {
    private static final SamplingRequest ONE = TinyModel.request(2, 1);
    private static final SamplingRequest TWO = TinyModel.request(2, 1, 2);

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void oneDeviceWithoutFaults() {
        Thread.interrupted();
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    private static DeviceTeam team(DeviceTeam equal, Double... speeds) {
        return new DeviceTeam(equal.devices(), List.of(speeds), equal.policy(), equal.mesh());
    }

    private static void occupy(int device) {
        HostDevice host = HostRuntime.get().device(device);
        host.occupy(host.getDeviceGlobalMemorySize() - 1000);
    }

    private float[] ofOneDevice(SamplingRequest request) {
        HostRuntime.get().setDeviceCount(1);
        return latents(TinyModel.team(1, 1, reports), request);
    }

    private static float[] latents(DeviceTeam team, SamplingRequest request) {
        try (ShardedEngine engine = TinyModel.engine(team, request, false)) {
            return engine.sample(request, TorchRandn.cuda(5), (done, now) -> {});
        }
    }

    /** Of which devices there are reports. */
    private List<String> reported() {
        return reports.stream()
                .map(line -> line.replaceAll("(device \\d).*; its", "$1; its"))
                .toList();
    }

    /** A slow device that got nothing stands before the fast one. */
    @Test
    void aDeviceWithoutSamplesHasItsTurnWhereverItStands() {
        float[] expected = ofOneDevice(TWO);
        HostRuntime.get().setDeviceCount(2);
        for (int fast = 0; fast < 2; fast++) {
            HostRuntime.get().renewDevices();
            reports.clear();
            occupy(fast);
            DeviceTeam equal = TinyModel.team(2, 1, reports);
            assertArrayEquals(expected, latents(fast == 0 ? team(equal, 4.0, 1.0) : team(equal, 1.0, 4.0), TWO));
            assertEquals(List.of("device %d; its samples go to the 1 left".formatted(fast)), reported());
        }
    }

    /** The fastest first; none has a second turn. */
    @Test
    void eachDeviceHasOneTurn() {
        float[] expected = ofOneDevice(ONE);
        HostRuntime.get().setDeviceCount(4);
        occupy(1);
        occupy(2);
        DeviceTeam team = team(TinyModel.team(4, 1, reports), 1.0, 8.0, 2.0, 1.0);
        assertArrayEquals(expected, latents(team, ONE));
        List<String> two = List.of("device 1; its samples go to the 3 left", "device 2; its samples go to the 2 left");
        assertEquals(two, reported());
        assertEquals(0, HostRuntime.get().device(3).peakBytes(), "bytes on a device whose turn did not come");
        reports.clear();
        occupy(0);
        occupy(3);
        DeviceUnavailableException last = assertThrows(DeviceUnavailableException.class, () -> latents(team, ONE));
        assertTrue(String.valueOf(last.getMessage()).startsWith("device 3 "), last.getMessage());
        assertEquals(List.of(two.get(0), two.get(1), "device 0; its samples go to the 1 left"), reported());
    }

    @Test
    void aCrewWithoutSamplesHasItsTurnToo() {
        float[] expected = ofOneDevice(ONE);
        DeviceTeam team = team(TinyModel.team(Mesh.ONE.withSamples(2).withHalves(2), 1, reports), 1.0, 1.0, 4.0, 4.0);
        occupy(3);
        assertArrayEquals(expected, latents(team, ONE));
        assertEquals(List.of("device 3; its samples go to the 1 left"), reported());
        assertEquals(0, TinyModel.deviceBytes());
    }

    /** What is being made is waited for and closed: nobody else knows of it. */
    @Test
    void whoeverIsInterruptedWhileDevicesAreLoadedLeavesNothingOnThem() throws InterruptedException {
        HostRuntime.get().setDeviceCount(2);
        CountDownLatch atWork = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        HostRuntime.get().device(1).faults().beforeLaunch(() -> {
            atWork.countDown();
            awaitCalmly(released);
        });
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        AtomicBoolean interrupted = new AtomicBoolean();
        Thread loading = Thread.ofPlatform().daemon().start(() -> {
            try {
                TinyModel.engine(TinyModel.team(2, 1, reports), TWO, false).close();
            } catch (RuntimeException e) {
                thrown.set(e);
            }
            interrupted.set(Thread.currentThread().isInterrupted());
        });
        atWork.await();
        loading.interrupt();
        loading.join(500); // it may not give up the device that is at work
        released.countDown();
        loading.join();
        assertEquals(
                "interrupted",
                assertInstanceOf(CancellationException.class, thrown.get()).getMessage());
        assertTrue(interrupted.get(), "the caller's loop would go on");
        assertEquals(0, TinyModel.deviceBytes());
        assertEquals(List.of(), reports);
        assertEquals(2, freshEngineDevices(), "devices are taken for failed");
    }

    private int freshEngineDevices() {
        try (ShardedEngine engine = TinyModel.engine(TinyModel.team(2, 1, reports), TWO, false)) {
            return engine.devices();
        }
    }

    private static void awaitCalmly(CountDownLatch latch) {
        try {
            if (!latch.await(1, TimeUnit.MINUTES)) {
                throw new IllegalStateException("nobody released the device");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("the device's thread was interrupted", e);
        }
    }

    /** A device may be at work still when its release is asked for. */
    @Test
    void whoeverIsInterruptedReleasesDevicesAllTheSame() throws InterruptedException {
        HostRuntime.get().setDeviceCount(2);
        ShardedEngine engine = TinyModel.engine(TinyModel.team(2, 1, reports), TWO, false);
        float[] latents = engine.sample(TWO, TorchRandn.cuda(5), (done, now) -> {});
        CountDownLatch atWork = new CountDownLatch(2);
        CountDownLatch released = new CountDownLatch(1);
        for (int device = 0; device < 2; device++) {
            HostRuntime.get().device(device).faults().beforeLaunch(() -> {
                atWork.countDown();
                awaitCalmly(released);
            });
        }
        Thread decoding = Thread.ofPlatform().daemon().start(() -> engine.decode(latents, 2));
        atWork.await();
        AtomicBoolean interrupted = new AtomicBoolean();
        Thread closing = Thread.ofPlatform().daemon().start(() -> {
            Thread.currentThread().interrupt();
            engine.close();
            interrupted.set(Thread.currentThread().isInterrupted());
        });
        closing.join(500);
        assertFalse(interrupted.get(), "closed while the devices are at work");
        released.countDown();
        closing.join();
        decoding.join();
        assertTrue(interrupted.get());
        assertEquals(0, TinyModel.deviceBytes());
    }
}
