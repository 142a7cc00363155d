package org.tornadodit.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import org.tornadodit.kernels.ptx.Installation;
import org.tornadodit.kernels.ptx.PeerAccess;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.drivers.ptx.runtime.PTXTornadoDevice;

/**
 * {@code cuCtxEnablePeerAccess} for each ordered pair of TornadoVM's contexts: from then on what a context has allocated, and
 * will, is at the same address in the other's kernels. Where a pair cannot, memory of {@code cuMemHostAlloc}, which is mapped in
 * all contexts.
 */
public final class CudaPeers implements PeerAccess {

    private static final int ALREADY_ENABLED = 704;

    /** CU_MEMHOSTALLOC_PORTABLE and CU_MEMHOSTALLOC_DEVICEMAP: for all contexts, and for their kernels. */
    private static final int OF_ALL_KERNELS = 1 | 2;

    @Override
    public Connection connect(List<TornadoDevice> devices) {
        try {
            return connect(gpus(devices), Functions.find());
        } catch (IllegalArgumentException | IllegalStateException refused) {
            return Connection.none(String.valueOf(refused.getMessage()));
        }
    }

    /** @throws IllegalStateException when TornadoVM's PTX backend does not have them, or not as it is expected */
    private static List<PTXTornadoDevice> gpus(List<TornadoDevice> devices) {
        if (new PtxInstallation().install() instanceof Installation.Refused refused) {
            throw new IllegalStateException(refused.reason());
        }
        List<PTXTornadoDevice> gpus = new ArrayList<>();
        for (TornadoDevice device : devices) {
            if (!(device instanceof PTXTornadoDevice gpu)) {
                throw new IllegalStateException(device.getDescription() + " is no device of the PTX backend");
            }
            gpus.add(gpu);
        }
        return gpus;
    }

    private static synchronized Connection connect(List<PTXTornadoDevice> gpus, Functions driver) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment device = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment context = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment can = arena.allocate(ValueLayout.JAVA_INT);
            int[] numbers = new int[gpus.size()];
            long[] contexts = new long[gpus.size()];
            for (int i = 0; i < numbers.length; i++) {
                gpus.get(i).enableThreadSharing(); // its context becomes the calling thread's
                check(DriverLibrary.call(driver.currentDevice, device));
                check(DriverLibrary.call(driver.currentContext, context));
                numbers[i] = device.get(ValueLayout.JAVA_INT, 0);
                contexts[i] = context.get(ValueLayout.JAVA_LONG, 0);
            }
            for (int i = 0; i < numbers.length; i++) {
                gpus.get(i).enableThreadSharing();
                for (int j = 0; j < numbers.length; j++) {
                    if (i == j) {
                        continue;
                    }
                    check(DriverLibrary.call(driver.canAccess, can, numbers[i], numbers[j]));
                    if (can.get(ValueLayout.JAVA_INT, 0) == 0) {
                        return Connection.throughHost(
                                "GPU %d cannot reach the memory of GPU %d (nvidia-smi topo -m shows how they are connected)"
                                        .formatted(numbers[i], numbers[j]));
                    }
                    int error = DriverLibrary.call(driver.enable, contexts[j], 0);
                    if (error != 0 && error != ALREADY_ENABLED) {
                        return Connection.throughHost(
                                "the driver does not let GPU %d reach the memory of GPU %d, CUDA error %d"
                                        .formatted(numbers[i], numbers[j], error));
                    }
                }
            }
            return Connection.OF_PEERS;
        }
    }

    private static void check(int error) {
        if (error != 0) {
            throw new IllegalStateException("the driver does not connect them, CUDA error " + error);
        }
    }

    @Override
    public HostMemory hostMemory(List<TornadoDevice> devices, int elements) {
        List<PTXTornadoDevice> gpus = gpus(devices);
        HostFunctions driver;
        try {
            driver = HostFunctions.find();
        } catch (IllegalArgumentException older) {
            throw new IllegalStateException(String.valueOf(older.getMessage()), older);
        }
        return hostMemory(gpus, (long) Integer.BYTES * elements, driver);
    }

    private static synchronized HostMemory hostMemory(List<PTXTornadoDevice> gpus, long bytes, HostFunctions driver) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment told = arena.allocate(ValueLayout.JAVA_LONG);
            gpus.getFirst().enableThreadSharing();
            int error = DriverLibrary.call(driver.allocate, told, bytes, OF_ALL_KERNELS);
            if (error != 0) {
                throw new IllegalStateException(
                        "the driver does not lock %.1f MB of the host's memory for them, CUDA error %d"
                                .formatted(bytes / 1e6, error));
            }
            Pinned memory = new Pinned(told.get(ValueLayout.JAVA_LONG, 0), bytes, gpus.getFirst(), driver.free);
            for (PTXTornadoDevice gpu : gpus) {
                gpu.enableThreadSharing();
                int unmapped = DriverLibrary.call(driver.address, told, memory.address(), 0);
                if (unmapped != 0 || told.get(ValueLayout.JAVA_LONG, 0) != memory.address()) {
                    memory.close();
                    throw new IllegalStateException(
                            "the driver has no one address of the host's memory for all of them, CUDA error "
                                    + unmapped);
                }
            }
            return memory;
        }
    }

    /** Memory that the driver has locked. */
    private record Pinned(long address, long bytes, PTXTornadoDevice gpu, MethodHandle free) implements HostMemory {
        @Override
        public void clear() {
            MemorySegment.ofAddress(address).reinterpret(bytes).fill((byte) 0);
        }

        @Override
        public void close() {
            gpu.enableThreadSharing();
            DriverLibrary.call(free, address);
        }
    }

    private record HostFunctions(MethodHandle allocate, MethodHandle address, MethodHandle free) {
        /** @throws IllegalArgumentException when the driver lacks one */
        static HostFunctions find() {
            var pointer = ValueLayout.ADDRESS;
            var number = ValueLayout.JAVA_LONG;
            return new HostFunctions(
                    DriverLibrary.function("cuMemHostAlloc", pointer, number, ValueLayout.JAVA_INT),
                    DriverLibrary.function("cuMemHostGetDevicePointer_v2", pointer, number, ValueLayout.JAVA_INT),
                    DriverLibrary.function("cuMemFreeHost", number));
        }
    }

    /** The driver's functions, which work in the calling thread's context. */
    private record Functions(
            MethodHandle currentDevice, MethodHandle currentContext, MethodHandle canAccess, MethodHandle enable) {

        /** @throws IllegalArgumentException when the driver lacks one */
        static Functions find() {
            var pointer = ValueLayout.ADDRESS;
            var integer = ValueLayout.JAVA_INT;
            return new Functions(
                    DriverLibrary.function("cuCtxGetDevice", pointer),
                    DriverLibrary.function("cuCtxGetCurrent", pointer),
                    DriverLibrary.function("cuDeviceCanAccessPeer", pointer, integer, integer),
                    DriverLibrary.function("cuCtxEnablePeerAccess", ValueLayout.JAVA_LONG, integer));
        }
    }
}
