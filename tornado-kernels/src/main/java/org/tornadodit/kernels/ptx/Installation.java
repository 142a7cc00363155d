package org.tornadodit.kernels.ptx;

import java.util.List;

/**
 * Teaches the GPU's compiler the methods of this package. The implementation, the module tornado-ptx, needs TornadoVM's
 * PTX backend; this interface keeps callers free of it.
 */
public interface Installation {

    /**
     * A GPU, by compute capability.
     *
     * @param index TornadoVM's number of it in the PTX backend
     */
    record Device(int index, String name, int major, int minor) {

        /** Whether all instructions can be used whose descriptions name no later capability. */
        public boolean hasTensorCoreInstructions() {
            return major >= 7;
        }

        /** Whether {@link Wgmma}, {@link MemoryBarrier} and bulk copies can be used. */
        public boolean hasWarpgroupInstructions() {
            return major == 9 && minor == 0;
        }

        @Override
        public String toString() {
            return name + ": capability " + major + "." + minor;
        }
    }

    /** What came of an installation. */
    sealed interface Outcome {}

    /**
     * Kernels may use the instructions on the devices for which {@link Device#hasTensorCoreInstructions}.
     *
     * @param devices all of the backend's
     */
    record Installed(List<Device> devices) implements Outcome {
        @Override
        public String toString() {
            return "installed: "
                    + String.join("; ", devices.stream().map(Device::toString).toList());
        }
    }

    /**
     * Kernels must do without the instructions.
     *
     * @param reason for the user
     */
    record Refused(String reason) implements Outcome {
        @Override
        public String toString() {
            return "refused: " + reason;
        }
    }

    /** Installs once, before the first task graph is built; later calls give the first one's outcome. Never throws. */
    Outcome install();

    /** Installs with what is on the class path. */
    static Outcome installFromClassPath() {
        return PtxService.find(Installation.class)
                .map(Installation::install)
                .orElseGet(() -> new Refused("tornado-ptx is not on the class path"));
    }
}
