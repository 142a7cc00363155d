package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.Mesh;

/** Devices while an engine is loaded: who gets a turn. */
class LoadingTest {
    private static final SamplingRequest ONE = TinyModel.request(2, 1);
    private static final SamplingRequest TWO = TinyModel.request(2, 1, 2);

    private final List<String> reports = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void oneDeviceWithoutFaults() {
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
}
