package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.plan.Mesh;

/** Engines of several devices that are given up. */
class CrewFaultsTest {
    private static final KernelOptions KERNELS = new KernelOptions(MatmulPrecision.HIGHEST, Tier.PORTABLE);

    private final List<String> reports = new ArrayList<>();

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
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
        OutOfMemoryError failure = new OutOfMemoryError("Java heap space");
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
