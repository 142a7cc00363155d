package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostFaults;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.DeviceFailedException;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.engine.FaultPolicy;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;

/** Devices that fail at every stage, and in every way that tornado-host can order: the same bits, or one line. */
class DeviceFaultsTest {
    private static final int STEPS = 5;
    private static final int KEEP = 2;
    private static final SamplingRequest REQUEST = TinyModel.request(STEPS, 0, 1, 2, 3, 4);

    /** Launches of the denoiser's last task before the batch's first: the warm-up's. */
    private static final int WARM_UP = 1;

    /** What is said of a device, the memory of which another program holds. */
    private static final String FULL =
            "device %d \\(.*\\): [1-9][0-9]* [KM]B needed \\(weights [1-9].*\\), 1 KB of [0-9.]+ GB free: another"
                    + " program holds the rest; .*";

    /** What any number of devices has to give: of the kernels, with the host's noise or without. */
    private static final Map<Kernels, Map<Boolean, Pictures>> EXPECTED = new ConcurrentHashMap<>();

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    /** Where a device fails. */
    enum Stage {
        UPLOAD("loading") {
            @Override
            void order(HostFaults faults, String context, Kernels kernels) {
                faults.failAllocation(20);
            }
        },
        COMPILATION("loading") {
            @Override
            void order(HostFaults faults, String context, Kernels kernels) {
                faults.failCompilation(context + "last.step", 1);
            }
        },
        WARM_UP_LAUNCH("loading") {
            @Override
            void order(HostFaults faults, String context, Kernels kernels) {
                faults.failLaunch(context + "last.step", 1);
            }
        },
        FIRST_STEP("sampling, after step 0") {
            @Override
            void order(HostFaults faults, String context, Kernels kernels) {
                faults.failLaunch(context + "last.step", WARM_UP + 1);
            }
        },
        LATER_STEP("sampling, after step 2") {
            @Override
            void order(HostFaults faults, String context, Kernels kernels) {
                faults.failLaunch(context + "last.step", WARM_UP + 4);
            }
        },
        LAST_STEP("sampling, after step 4") {
            @Override
            void order(HostFaults faults, String context, Kernels kernels) {
                faults.failLaunch(context + "last.step", WARM_UP + STEPS);
            }
        },
        DECODING("decoding") {
            @Override
            void order(HostFaults faults, String context, Kernels kernels) {
                faults.failLaunch(context + kernels.lastOfDecoder, 2);
            }
        };

        final String words;

        Stage(String words) {
            this.words = words;
        }

        abstract void order(HostFaults faults, String context, Kernels kernels);
    }

    /** Which kernels run. */
    enum Kernels {
        PORTABLE("vae_tail_8_3_16.images") {
            @Override
            ShardedEngine engine(DeviceTeam team, boolean hostNoise) {
                return TinyModel.engine(team, REQUEST, hostNoise);
            }
        },
        TENSOR("vae_tail_16_3_32.images") {
            @Override
            ShardedEngine engine(DeviceTeam team, boolean hostNoise) {
                return TinyModel.tensorEngine(team, REQUEST, hostNoise, MatmulPrecision.HIGH);
            }
        };

        final String lastOfDecoder;

        Kernels(String lastOfDecoder) {
            this.lastOfDecoder = lastOfDecoder;
        }

        abstract ShardedEngine engine(DeviceTeam team, boolean hostNoise);
    }

    /** Latents, then pictures. */
    private record Pictures(float[] latents, float[] images) {
        void assertSame(Pictures actual) {
            assertArrayEquals(latents, actual.latents());
            assertArrayEquals(images, actual.images());
        }
    }

    @BeforeEach
    void threeDevices() {
        HostRuntime.get().setDeviceCount(3);
    }

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices(); // a failed device keeps what it held
        HostRuntime.get().setDeviceCount(1);
    }

    /** Every stage of all kernels. */
    static Stream<Arguments> stages() {
        return Arrays.stream(Kernels.values())
                .flatMap(kernels -> Arrays.stream(Stage.values()).map(stage -> Arguments.of(kernels, stage)));
    }

    @ParameterizedTest
    @MethodSource("stages")
    void theOthersDoWhatAFailedDeviceCouldNot(Kernels kernels, Stage stage) {
        Pictures expected = expected(kernels, false);
        stage.order(HostRuntime.get().device(1).faults(), "d1_", kernels);
        expected.assertSame(run(kernels, TinyModel.team(3, KEEP, reports), false));
        assertEquals(1, reports.size(), reports.toString());
        String line = reports.getFirst();
        assertTrue(line.startsWith("device 1: ") && line.contains("failed while " + stage.words), line);
        assertReleased(0, 2);
        assertUntouched(stage, 1);
    }

    /** What a sampler remembers of earlier steps goes to the others with the latents. */
    @ParameterizedTest
    @EnumSource(
            value = Stage.class,
            names = {"FIRST_STEP", "LATER_STEP", "LAST_STEP"})
    void theOthersGoOnWithAHistory(Stage stage) {
        SamplingRequest request = TinyModel.request(SamplingMethod.UNIPC, STEPS, 0, 1, 2, 3);
        float[] expected;
        try (ShardedEngine engine = TinyModel.engine(TinyModel.team(1, KEEP, reports), request, false)) {
            expected = engine.sample(request, TorchRandn.cuda(5), (done, now) -> {});
        }
        stage.order(HostRuntime.get().device(1).faults(), "d1_", Kernels.PORTABLE);
        try (ShardedEngine engine = TinyModel.engine(TinyModel.team(3, KEEP, reports), request, false)) {
            assertArrayEquals(expected, engine.sample(request, TorchRandn.cuda(5), (done, now) -> {}));
        }
        assertEquals(1, reports.size(), reports.toString());
        assertTrue(reports.getFirst().contains("failed while " + stage.words), reports.getFirst());
    }

    @ParameterizedTest
    @MethodSource("stages")
    void failFastStopsAtTheFirst(Kernels kernels, Stage stage) {
        stage.order(HostRuntime.get().device(1).faults(), "d1_", kernels);
        DeviceTeam team = TinyModel.team(2, KEEP, reports);
        DeviceTeam failFast =
                new DeviceTeam(team.devices(), team.speeds(), new FaultPolicy(true, KEEP, 0, reports::add));
        DeviceFailedException failure = assertThrows(DeviceFailedException.class, () -> run(kernels, failFast, false));
        assertTrue(
                String.valueOf(failure.getMessage()).matches("device 1: .* failed while " + stage.words + ": .*"),
                failure.getMessage());
        assertEquals(List.of(), reports);
        assertReleased(0);
        assertUntouched(stage, 1);
    }

    @Test
    void theLastDevicesFailureIsTheRuns() {
        Stage.LATER_STEP.order(HostRuntime.get().device(0).faults(), "d0_", Kernels.PORTABLE);
        Stage.FIRST_STEP.order(HostRuntime.get().device(1).faults(), "d1_", Kernels.PORTABLE);
        DeviceFailedException failure =
                assertThrows(DeviceFailedException.class, () -> run(TinyModel.team(2, KEEP, reports), false));
        assertTrue(String.valueOf(failure.getMessage()).contains("failed while sampling"), failure.getMessage());
        assertEquals(1, reports.size(), reports.toString());
        assertUntouched(Stage.LATER_STEP, 0);
        assertUntouched(Stage.FIRST_STEP, 1);
    }

    private static void assertReleased(int... devices) {
        for (int device : devices) {
            assertEquals(0, HostRuntime.get().device(device).usedBytes(), "bytes left on device " + device);
        }
    }

    /**
     * A failed device holds what it held: freeing it would end in a crash where the driver has given the device up. What
     * does not compile fails before anything is allocated.
     */
    private static void assertUntouched(Stage stage, int device) {
        assertEquals(
                stage != Stage.COMPILATION,
                HostRuntime.get().device(device).usedBytes() > 0,
                stage + ": bytes are held by device " + device);
    }

    /** Another program's memory is not to be had; asking for it would be noticed by TornadoVM's log alone. */
    @Test
    void aDeviceWhoseMemoryOthersHoldIsLeftOut() {
        Pictures expected = expected(false);
        for (int device = 0; device < 3; device++) {
            HostRuntime.get().renewDevices();
            reports.clear();
            occupy(device);
            expected.assertSame(run(TinyModel.team(3, KEEP, reports), false));
            assertEquals(1, reports.size(), reports.toString());
            String line = reports.getFirst();
            assertTrue(line.matches(FULL.formatted(device) + "; its samples go to the 2 left"), line);
            assertEquals(0, HostRuntime.get().device(device).peakBytes(), "bytes allocated");
            assertReleased(0, 1, 2);
        }
    }

    @Test
    void noDeviceWithEnoughMemoryFreeIsAnError() {
        occupy(0);
        occupy(1);
        DeviceUnavailableException failure =
                assertThrows(DeviceUnavailableException.class, () -> run(TinyModel.team(2, KEEP, reports), false));
        assertTrue(String.valueOf(failure.getMessage()).matches(FULL.formatted(1)), failure.getMessage());
        assertEquals(1, reports.size(), reports.toString());
        assertTrue(
                reports.getFirst().matches(FULL.formatted(0) + "; its samples go to the 1 left"), reports.getFirst());
    }

    @Test
    void failFastStopsAtADeviceWhoseMemoryOthersHold() {
        occupy(1);
        DeviceTeam team = TinyModel.team(3, KEEP, reports);
        DeviceTeam failFast =
                new DeviceTeam(team.devices(), team.speeds(), new FaultPolicy(true, KEEP, 0, reports::add));
        DeviceUnavailableException failure = assertThrows(DeviceUnavailableException.class, () -> run(failFast, false));
        assertTrue(String.valueOf(failure.getMessage()).matches(FULL.formatted(1)), failure.getMessage());
        assertEquals(List.of(), reports);
        assertReleased(0, 1, 2);
    }

    private static void occupy(int device) {
        HostDevice host = HostRuntime.get().device(device);
        host.occupy(host.getDeviceGlobalMemorySize() - 1000);
    }

    /** What does not come back is missed at the warm-up, before the device gets samples. */
    @Test
    void aDeviceThatIsLostInSilenceWhileItLoadsIsNoticed() {
        Pictures expected = expected(false);
        for (int launch : new int[] {1, 3}) {
            HostRuntime.get().renewDevices();
            reports.clear();
            HostRuntime.get().device(1).faults().lose(launch);
            expected.assertSame(run(TinyModel.team(3, KEEP, reports), false));
            assertEquals(1, reports.size(), reports.toString());
            assertTrue(reports.getFirst().contains("failed while loading"), reports.getFirst());
        }
    }

    @Test
    void noDeviceThatLoadsIsAnError() {
        for (int device = 0; device < 2; device++) {
            Stage.COMPILATION.order(HostRuntime.get().device(device).faults(), "d" + device + "_", Kernels.PORTABLE);
        }
        DeviceFailedException failure =
                assertThrows(DeviceFailedException.class, () -> run(TinyModel.team(2, KEEP, reports), false));
        assertTrue(String.valueOf(failure.getMessage()).contains("device 1: "), failure.getMessage());
        assertEquals(1, reports.size(), reports.toString());
    }

    /** Launch errors that TornadoVM logs and passes over: what does not come back must not pass for a picture. */
    @Test
    void aDeviceThatIsLostInSilenceIsNoticed() {
        Pictures expected = expected(false);
        AtomicInteger launches = new AtomicInteger();
        HostFaults faults = HostRuntime.get().device(1).faults();
        faults.beforeLaunch(launches::incrementAndGet);
        run(TinyModel.team(2, KEEP, reports), false);
        faults.clear();
        for (double share : new double[] {0.5, 0.7, 0.99}) {
            reports.clear();
            faults.lose((int) (share * launches.get()));
            expected.assertSame(run(TinyModel.team(2, KEEP, reports), false));
            assertEquals(1, reports.size(), reports.toString());
            assertTrue(reports.getFirst().contains("did not come back"), reports.getFirst());
            faults.clear();
        }
    }

    /** The noise that a failed device took has to be drawn again. */
    @Test
    void noiseOfTheHostIsDrawnAgain() {
        Pictures expected = expected(true);
        Stage.LATER_STEP.order(HostRuntime.get().device(0).faults(), "d0_", Kernels.PORTABLE);
        expected.assertSame(run(TinyModel.team(2, KEEP, reports), true));
        assertEquals(1, reports.size(), reports.toString());
    }

    /** A shard that is larger than what the others take at a time is done in parts. */
    @Test
    void aSlowDeviceTakesAFastOnesSamplesInParts() {
        Pictures expected = expected(false);
        Stage.LATER_STEP.order(HostRuntime.get().device(1).faults(), "d1_", Kernels.PORTABLE);
        DeviceTeam team = TinyModel.team(2, KEEP, reports);
        expected.assertSame(run(new DeviceTeam(team.devices(), List.of(1.0, 4.0), team.policy()), false));
        assertEquals(1, reports.size(), reports.toString());
    }

    @Test
    void aFailedDeviceStaysOutInTheNextBatch() {
        NoiseStream noise = TorchRandn.cuda(3);
        List<float[]> expected = new ArrayList<>();
        float[] images;
        try (ShardedEngine engine = TinyModel.engine(TinyModel.team(1, KEEP, reports), REQUEST, false)) {
            expected.add(engine.sample(REQUEST, noise, (done, now) -> {}));
            expected.add(engine.sample(REQUEST, noise, (done, now) -> {}));
            images = engine.decode(expected.getFirst(), REQUEST.samples());
        }
        NoiseStream same = TorchRandn.cuda(3);
        Stage.LATER_STEP.order(HostRuntime.get().device(2).faults(), "d2_", Kernels.PORTABLE);
        try (ShardedEngine engine = TinyModel.engine(TinyModel.team(3, KEEP, reports), REQUEST, false)) {
            for (float[] batch : expected) {
                List<Integer> steps = new ArrayList<>();
                assertArrayEquals(batch, engine.sample(REQUEST, same, (done, now) -> steps.add(done)));
                assertEquals(List.of(1, 2, 3, 4, 5), steps);
            }
            assertEquals(2, engine.devices());
            assertEquals(expected.size() - 1, reports.size(), reports.toString());
            assertArrayEquals(images, engine.decode(expected.getFirst(), REQUEST.samples()));
        }
    }

    /** What a listener throws is no fault of the device: it ends the run as it is. */
    @Test
    void aListenersFailureIsNotTheDevices() {
        Pictures expected = expected(false);
        try (ShardedEngine engine = TinyModel.engine(TinyModel.team(2, KEEP, reports), REQUEST, false)) {
            CancellationException wish = new CancellationException("enough");
            CancellationException thrown = assertThrows(
                    CancellationException.class,
                    () -> engine.sample(REQUEST, TorchRandn.cuda(3), (done, now) -> {
                        if (done == 2) {
                            throw wish;
                        }
                    }));
            assertEquals(wish, thrown);
            assertEquals(List.of(), reports);
            assertEquals(2, engine.devices());
            float[] again = engine.sample(REQUEST, TorchRandn.cuda(3), (done, now) -> {});
            assertArrayEquals(expected.latents(), again);
            assertEquals(List.of(), reports);
        }
    }

    private Pictures expected(boolean hostNoise) {
        return expected(Kernels.PORTABLE, hostNoise);
    }

    private Pictures expected(Kernels kernels, boolean hostNoise) {
        return EXPECTED.computeIfAbsent(kernels, key -> new ConcurrentHashMap<>())
                .computeIfAbsent(hostNoise, noise -> run(kernels, TinyModel.team(1, KEEP, reports), noise));
    }

    private static Pictures run(DeviceTeam team, boolean hostNoise) {
        return run(Kernels.PORTABLE, team, hostNoise);
    }

    private static Pictures run(Kernels kernels, DeviceTeam team, boolean hostNoise) {
        try (ShardedEngine engine = kernels.engine(team, hostNoise)) {
            NoiseStream noise = hostNoise ? TorchRandn.cpu(3) : TorchRandn.cuda(3);
            float[] latents = engine.sample(REQUEST, noise, (done, now) -> {});
            return new Pictures(latents, engine.decode(latents, REQUEST.samples()));
        }
    }
}
