package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.DeviceFailedException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.plan.Mesh;

/**
 * Java's heap at its end, and engines that are given up, on devices that compute the same samples: where one may be at
 * another exchange than the others, they compute nothing together any more.
 */
class CrewFaultsTest {
    private static final KernelOptions KERNELS = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);

    /** Launches of a block up to the second step: of two blocks, or of two micro-batches. */
    private static final int IN_SECOND_STEP = 3;

    private static final String TOO_SMALL =
            "Java's heap is too small (Java heap space); give more with DIT_JVM_OPTS=-Xmx...";

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    private ShardedEngine engine(Mesh mesh) {
        return new ShardedEngine(
                TinyModel.team(mesh, 1, reports),
                CrewTest.CONFIG,
                CrewTest.WEIGHTS,
                TinyModel.PIXEL_VAE,
                TinyModel.PIXEL_VAE_WEIGHTS,
                CrewTest.TWO,
                false,
                KERNELS);
    }

    private static float[] sampled(ShardedEngine engine) {
        return engine.sample(CrewTest.TWO, TorchRandn.cuda(5), (done, now) -> {});
    }

    /** Of one device. */
    private float[] expected() {
        try (ShardedEngine engine = engine(Mesh.ONE)) {
            return sampled(engine);
        }
    }

    /** Java's heap is at its end, once, when a device is about to launch a task for the {@code k}-th time from now. */
    private static void exhaustHeap(String task, int k, Supplier<OutOfMemoryError> error) {
        HostDevice device = HostRuntime.get().device(1);
        device.resetMeters();
        AtomicBoolean came = new AtomicBoolean();
        device.faults().beforeLaunch(() -> {
            if (device.launches().getOrDefault(task, 0L) == k && came.compareAndSet(false, true)) {
                throw error.get();
            }
        });
    }

    private static OutOfMemoryError heapSpace() {
        return new OutOfMemoryError("Java heap space");
    }

    /** The device is well, but its crew is not: another one does the picture. */
    @ParameterizedTest
    @CsvSource({"2, 1, 1", "1, 2, 1", "1, 1, 2"})
    void aCrewWithoutHeapIsLostAndAnotherGoesOn(int halves, int heads, int stages) {
        Mesh mesh = Mesh.ONE
                .withSamples(2)
                .withHalves(halves)
                .withHeads(heads)
                .withStages(stages)
                .withMicroBatches(stages);
        float[] expected = expected();
        try (ShardedEngine engine = engine(mesh)) {
            exhaustHeap("d1_block.attn", IN_SECOND_STEP, CrewFaultsTest::heapSpace);
            assertArrayEquals(expected, sampled(engine), "latents of the batch in which it happened");
            assertEquals(1, engine.devices());
            assertArrayEquals(expected, sampled(engine), "latents of the next batch");
        }
        assertEquals(1, reports.size(), reports.toString());
        String line = reports.getFirst();
        assertTrue(line.startsWith("device 1: "), line);
        assertTrue(
                line.endsWith(" failed while sampling, after step 1: " + TOO_SMALL + "; its samples go to the 1 left"),
                line);
    }

    /** What is left of it would give pictures whose halves are not of the same step. */
    @Test
    void theOnlyCrewEndsWithoutHeap() {
        try (ShardedEngine engine = engine(Mesh.ONE.withHalves(2))) {
            exhaustHeap("d1_block.attn", IN_SECOND_STEP, CrewFaultsTest::heapSpace);
            DeviceFailedException failed = assertThrows(DeviceFailedException.class, () -> sampled(engine));
            String line = String.valueOf(failed.getMessage());
            assertTrue(line.startsWith("device 1: ") && line.endsWith(TOO_SMALL), line);
            IllegalStateException refused = assertThrows(IllegalStateException.class, () -> sampled(engine));
            assertEquals("all devices failed", refused.getMessage());
        }
    }

    /** Where there is no room for words either, the batch ends with Java's own, and the crew is not used again. */
    @Test
    void aCrewWithoutHeapForWordsIsNotUsedAgain() {
        float[] expected = expected();
        try (ShardedEngine engine = engine(Mesh.ONE.withSamples(2).withHalves(2))) {
            exhaustHeap("d1_block.attn", IN_SECOND_STEP, NoRoomForWords::new);
            IllegalStateException failed = assertThrows(IllegalStateException.class, () -> sampled(engine));
            assertEquals(TOO_SMALL, failed.getMessage());
            assertArrayEquals(expected, sampled(engine));
            assertEquals(1, engine.devices());
        }
        assertEquals(1, reports.size(), reports.toString());
        assertTrue(
                reports.getFirst().contains("the devices that compute together did not end what they did before"),
                reports.toString());
    }

    /** An error during whose treatment there is none of the heap either. */
    private static final class NoRoomForWords extends OutOfMemoryError {
        private static final long serialVersionUID = 1L;

        @Override
        public String getMessage() {
            throw heapSpace();
        }
    }

    /** Each device decodes pictures of its own, and none waits for another: they go on together. */
    @Test
    void heapThatEndsWhileDevicesDecodeByThemselvesLosesNoCrew() {
        float[] expected = expected();
        try (ShardedEngine engine = engine(Mesh.ONE.withHalves(2))) {
            float[] images = engine.decode(expected, 2);
            String task = HostRuntime.get().device(1).kernels().keySet().stream()
                    .filter(name -> name.endsWith(".images"))
                    .findFirst()
                    .orElseThrow();
            exhaustHeap(task, 1, CrewFaultsTest::heapSpace);
            IllegalStateException failed = assertThrows(IllegalStateException.class, () -> engine.decode(expected, 2));
            assertEquals(TOO_SMALL, failed.getMessage());
            assertArrayEquals(expected, sampled(engine));
            assertArrayEquals(images, engine.decode(expected, 2));
            assertEquals(1, engine.devices());
        }
        assertEquals(List.of(), reports);
        assertEquals(0, TinyModel.deviceBytes());
    }

    /** As what fails in another way there: what others may wait for is not freed. */
    @Test
    void heapThatEndsInTheFirstCommonStepLeavesTheDevices() {
        Mesh mesh = Mesh.ONE.withHeads(2);
        HostRuntime.get().setDeviceCount(2);
        // Each loads its two blocks, one after the other, before the others come in.
        exhaustHeap("d1_block.attn", 3, CrewFaultsTest::heapSpace);
        DeviceFailedException failed =
                assertThrows(DeviceFailedException.class, () -> engine(mesh).close());
        String line = String.valueOf(failed.getMessage());
        assertTrue(line.startsWith("device 1: ") && line.endsWith(" failed while loading: " + TOO_SMALL), line);
        HostDevice device = HostRuntime.get().device(1);
        assertEquals(device.peakBytes(), device.usedBytes(), "bytes on the device");
    }

    /** TornadoVM wants all of a plan's calls from one thread: also where the first device of a crew could not be loaded. */
    @Test
    void whatWasLoadedIsReleasedOnItsDevicesThread() {
        Mesh mesh = Mesh.ONE.withHeads(4);
        List<ListedDevice> devices = TinyModel.team(mesh, 1, reports).devices();
        Set<String> threads = new ConcurrentSkipListSet<>();
        Set<String> expected = new TreeSet<>();
        for (int device = 1; device < mesh.devices(); device++) {
            String name = "device " + device + " by ";
            HostRuntime.get()
                    .device(device)
                    .faults()
                    .beforeRelease(
                            () -> threads.add(name + Thread.currentThread().getName()));
            expected.add(name + "device-" + device);
        }
        Crew.Making making = CrewTest.making(devices, mesh, rank -> KERNELS);
        OutOfMemoryError failure = heapSpace();
        OutOfMemoryError thrown = assertThrows(
                OutOfMemoryError.class,
                () -> Crew.load(
                        devices,
                        mesh,
                        rank -> KernelChoice.of(devices.get(rank), CrewTest.CONFIG, KERNELS)
                                .operations(),
                        (rank, between) -> {
                            if (rank == 0) {
                                throw failure;
                            }
                            return making.engine(rank, between);
                        }));
        assertEquals(failure, thrown);
        assertEquals(0, TinyModel.deviceBytes());
        assertEquals(expected, threads);
    }
}
