package org.tornadodit.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tornadodit.kernels.ptx.Installation;
import org.tornadodit.kernels.ptx.PeerAccess;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.drivers.ptx.runtime.PTXTornadoDevice;

/**
 * {@code cuCtxEnablePeerAccess} for each ordered pair of TornadoVM's contexts: from then on what a context has allocated, and
 * will, is at the same address in the other's kernels.
 */
public final class CudaPeers implements PeerAccess {

    private static final int ALREADY_ENABLED = 704;

    @Override
    public Optional<String> connect(List<TornadoDevice> devices) {
        if (new PtxInstallation().install() instanceof Installation.Refused refused) {
            return Optional.of(refused.reason());
        }
        List<PTXTornadoDevice> gpus = new ArrayList<>();
        for (TornadoDevice device : devices) {
            if (!(device instanceof PTXTornadoDevice gpu)) {
                return Optional.of(device.getDescription() + " is no device of the PTX backend");
            }
            gpus.add(gpu);
        }
        try {
            return connect(gpus, Functions.find());
        } catch (IllegalArgumentException older) {
            return Optional.of(String.valueOf(older.getMessage()));
        }
    }

    private static synchronized Optional<String> connect(List<PTXTornadoDevice> gpus, Functions driver) {
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
                        return Optional.of(
                                "GPU %d cannot reach the memory of GPU %d (nvidia-smi topo -m shows how they are"
                                                .formatted(numbers[i], numbers[j])
                                        + " connected)");
                    }
                    int error = DriverLibrary.call(driver.enable, contexts[j], 0);
                    if (error != ALREADY_ENABLED) {
                        check(error);
                    }
                }
            }
            return Optional.empty();
        } catch (IllegalStateException refused) {
            return Optional.of(String.valueOf(refused.getMessage()));
        }
    }

    private static void check(int error) {
        if (error != 0) {
            throw new IllegalStateException("the driver does not connect them, CUDA error " + error);
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
