package org.tornadodit.ptx;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import jdk.graal.compiler.loop.phases.LoopFullUnrollPhase;
import org.tornadodit.kernels.ptx.Installation;
import uk.ac.manchester.tornado.drivers.ptx.CUDAComputeCapability;
import uk.ac.manchester.tornado.drivers.ptx.PTXBackendImpl;
import uk.ac.manchester.tornado.drivers.ptx.PTXCodeCache;
import uk.ac.manchester.tornado.drivers.ptx.PTXDevice;
import uk.ac.manchester.tornado.drivers.ptx.PTXDeviceContext;
import uk.ac.manchester.tornado.drivers.ptx.PTXExecutionStreamSet;
import uk.ac.manchester.tornado.drivers.ptx.PTXVersion;
import uk.ac.manchester.tornado.drivers.ptx.TargetArchitecture;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXSuitesProvider;
import uk.ac.manchester.tornado.drivers.ptx.graal.backend.PTXBackend;
import uk.ac.manchester.tornado.runtime.TornadoCoreRuntime;
import uk.ac.manchester.tornado.runtime.graal.TornadoSuites;

/** Prepares the devices of TornadoVM's PTX backend. */
final class PtxBackend {

    /** Of the devices that are prepared. */
    private static final Map<PTXDeviceContext, Modules> MODULES = new ConcurrentHashMap<>();

    private PtxBackend() {}

    /** The kernels of a device that {@link #install} has prepared. */
    static Optional<Modules> modules(PTXDeviceContext context) {
        return Optional.ofNullable(MODULES.get(context));
    }

    static Installation.Outcome install(int leastMajor) throws ReflectiveOperationException {
        PTXBackendImpl ptx = TornadoCoreRuntime.getTornadoRuntime().getBackend(PTXBackendImpl.class);
        if (ptx == null) {
            return new Installation.Refused("TornadoVM has no PTX backend");
        }
        List<Installation.Device> devices = new ArrayList<>();
        for (int i = 0; i < ptx.getNumDevices(); i++) {
            PTXDevice device = ptx.getBackend(i).getDeviceContext().getDevice();
            CUDAComputeCapability capability = device.getComputeCapability();
            devices.add(
                    new Installation.Device(i, device.getDeviceName(), capability.getMajor(), capability.getMinor()));
        }
        if (devices.stream().noneMatch(device -> device.major() >= leastMajor)) {
            return new Installation.Refused("no GPU has compute capability " + leastMajor + ".0 or later: " + devices);
        }
        Internals internals = new Internals();
        Driver driver = new Driver();
        for (Installation.Device device : devices) {
            if (device.major() >= leastMajor) {
                prepare(ptx.getBackend(device.index()), device, internals, driver);
            }
        }
        return new Installation.Installed(List.copyOf(devices));
    }

    @SuppressWarnings("unchecked")
    private static void prepare(PTXBackend backend, Installation.Device device, Internals internals, Driver driver) {
        PTXDeviceContext context = backend.getDeviceContext();
        Modules modules = new Modules(internals, driver);
        MODULES.put(context, modules);
        internals.codeCaches.set(
                context, modules.codeCaches((Map<Long, PTXCodeCache>) internals.codeCaches.get(context)));
        Object pool = internals.streamPool.get(context);
        internals.streamSets.set(pool, new Streams(internals, modules, (Map<Long, PTXExecutionStreamSet>)
                internals.streamSets.get(pool)));
        if (device.hasWarpgroupInstructions()) {
            internals.version.set(context.getDevice(), new Version80());
            internals.target.set(context.getDevice(), new Sm90a());
        }
        addPhases(((PTXSuitesProvider) backend.getTornadoSuites()).getSuites());
        backend.getProviders()
                .getReplacements()
                .getGraphBuilderPlugins()
                .appendNodePlugin(new InstructionPlugin(device.major()));
    }

    /** Adds what our instructions need. */
    static void addPhases(TornadoSuites suites) {
        var highTier = suites.getHighTier();
        highTier.prependPhase(new OwnSwitchCaches());
        highTier.insertBeforePhase(LoopFullUnrollPhase.class, new OwnSwitchCaches()); // of what was inlined
        highTier.insertBeforePhase(LoopFullUnrollPhase.class, new RegisterLoopUnrolling());
    }

    /** PTX ISA 8.0, the first with wgmma. TornadoVM knows versions up to 7.6. */
    private static final class Version80 extends PTXVersion {
        Version80() {
            super(new CUDAComputeCapability(7, 6));
        }

        @Override
        public String toString() {
            return "8.0";
        }
    }

    /** Hopper with the instructions that only Hopper has. */
    private static final class Sm90a extends TargetArchitecture {
        Sm90a() {
            super(9, 0);
        }

        @Override
        public String toString() {
            return "sm_90a";
        }
    }
}
