package org.tornadodit.scheduler.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Launch;
import org.tornadodit.virtual.VirtualBackend;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** The devices that TornadoVM sees, counted through all backends. */
public final class TornadoDevices {
    private static final int TEST_ELEMENTS = 1000;

    private TornadoDevices() {}

    /**
     * Whether TornadoVM itself serves the API, and not tornado-host's emulation: a named module takes precedence over the
     * class path.
     */
    public static boolean sdkIsPresent() {
        return TaskGraph.class.getModule().isNamed();
    }

    /**
     * All devices. Sets TornadoVM's properties, see {@link TornadoProperties}.
     *
     * @throws DeviceUnavailableException when a backend fails to start
     * @throws IllegalStateException when TornadoVM would run kernels that do not compile as sequential Java
     */
    public static List<ListedDevice> list() {
        if (sdkIsPresent()) {
            TornadoProperties.require();
        }
        List<ListedDevice> devices = new ArrayList<>();
        try {
            TornadoRuntime runtime = TornadoRuntimeProvider.getTornadoRuntime();
            for (int i = 0; i < runtime.getNumBackends(); i++) {
                TornadoBackend backend = runtime.getBackend(i);
                for (int j = 0; j < backend.getNumDevices(); j++) {
                    TornadoDevice device = backend.getDevice(j);
                    devices.add(new ListedDevice(
                            devices.size(),
                            device.getTornadoVMBackend().toString(),
                            device.getPhysicalDevice().getDeviceName().strip(),
                            device.getDeviceType().toString(),
                            capability(device),
                            device.getPhysicalDevice().getDeviceGlobalMemorySize(),
                            device));
                }
            }
        } catch (RuntimeException | LinkageError e) {
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            throw new DeviceUnavailableException(
                    "TornadoVM found no device (" + cause
                            + "); is the NVIDIA driver installed? ./setup-tornado.sh checks",
                    e);
        }
        return devices;
    }

    /**
     * Devices that tornado-host emulates on this machine's processor: the same code and the same results as on others,
     * slowly.
     *
     * @throws IllegalStateException when the SDK is present, which takes tornado-host's place
     */
    public static List<ListedDevice> emulated(int count) {
        if (!(TornadoRuntimeProvider.getTornadoRuntime().getBackend(0) instanceof VirtualBackend backend)) {
            throw new IllegalStateException("TornadoVM's SDK has no emulated devices");
        }
        backend.setDeviceCount(count);
        return list();
    }

    /** What TornadoVM's PTX device knows, but its public API does not tell; empty on other backends. */
    private static Optional<String> capability(TornadoDevice device) {
        try {
            Object physical = device.getPhysicalDevice();
            Object capability =
                    physical.getClass().getMethod("getComputeCapability").invoke(physical);
            Class<?> type = capability.getClass();
            return Optional.of(type.getMethod("getMajor").invoke(capability) + "."
                    + type.getMethod("getMinor").invoke(capability));
        } catch (ReflectiveOperationException notCuda) {
            return Optional.empty();
        }
    }

    /**
     * Runs a tiny kernel on a device and compares what comes back.
     *
     * @return whether all values are right
     * @throws RuntimeException when the kernel cannot be compiled or launched
     */
    public static boolean selfTest(ListedDevice listed) {
        FloatArray from = ArrayPages.floats(TEST_ELEMENTS);
        for (int i = 0; i < TEST_ELEMENTS; i++) {
            from.set(i, i * 0.5f - 7);
        }
        FloatArray to = ArrayPages.floats(TEST_ELEMENTS);
        GridScheduler grids = new GridScheduler();
        String name = "self_test_" + listed.index();
        TaskGraph graph = new TaskGraph(name)
                .transferToDevice(DataTransferMode.EVERY_EXECUTION, from)
                .task("copy", Embedding::copy, new KernelContext(), from, to, TEST_ELEMENTS)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, to);
        grids.addWorkerGrid(name + ".copy", Launch.elementwise(TEST_ELEMENTS));
        TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot());
        boolean right = false;
        try {
            plan.withDevice(listed.device()).withGridScheduler(grids).execute();
            right = isCopied(to);
        } finally {
            if (!right) {
                FailedDevices.leave(listed, plan);
            }
        }
        if (right) {
            try {
                plan.close();
            } catch (TornadoExecutionPlanException e) {
                throw new IllegalStateException("cannot close the plan of the self-test", e);
            }
        }
        return right;
    }

    private static boolean isCopied(FloatArray to) {
        for (int i = 0; i < TEST_ELEMENTS; i++) {
            if (to.get(i) != i * 0.5f - 7) {
                return false;
            }
        }
        return true;
    }
}
