package org.tornadodit.scheduler.tune;

import java.util.List;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.graph.Operations;
import org.tornadodit.scheduler.graph.TensorOperations;

/**
 * Rates of devices that nobody has measured: what they are expected to reach: a share of their peak, measured where there was a device. Good enough to tell
 * seconds from hours, and a device from one of twice its size.
 */
public final class DefaultRates implements DeviceRates {

    /**
     * A tier's share of the peak of FP32 outside the tensor cores.
     *
     * @param operations {@link Operations#description} begins with it
     * @param denoiser over the peak; measured on an H200
     * @param decoder likewise
     */
    private record Share(String operations, double denoiser, double decoder) {}

    /** The last is for tiers that are not listed. */
    private static final List<Share> SHARES = List.of(
            new Share(TensorOperations.description(MatmulPrecision.HIGHEST), 2.07, 2.5),
            new Share(TensorOperations.description(MatmulPrecision.HIGH), 4.32, 4.5),
            new Share("", 0.57, 0.52));

    /** tornado-host's emulation, on a processor of two cores. */
    private static final double EMULATED = 0.05e9;

    private static final double CPU_THREAD = 50e9;

    /** FP32 lanes of a multiprocessor; capability 7.x and 8.0 have half as many as others. */
    private static final int LANES = 128;

    /** Of a device that does not tell. */
    private static final double CLOCK_KHZ = 1.5e6;

    @Override
    public Rate of(ListedDevice device, DitConfig config, KernelOptions kernels) {
        if (!device.isGpu()) {
            return new Rate(EMULATED, EMULATED, "default rates");
        }
        String operations =
                KernelChoice.of(device, config, kernels).operations().description();
        Share share = SHARES.stream()
                .filter(row -> operations.startsWith(row.operations()))
                .findFirst()
                .orElseThrow();
        String capability = device.capability().orElse("");
        int lanes = capability.startsWith("7.") || capability.equals("8.0") ? LANES / 2 : LANES;
        int clock = device.device().getPhysicalDevice().getDeviceMaxClockFrequency();
        double peak = 2e3 * device.computeUnits() * lanes * (clock > 0 ? clock : CLOCK_KHZ);
        return new Rate(share.denoiser() * peak, share.decoder() * peak, "default rates");
    }

    @Override
    public Rate ofCpu(int threads) {
        // More threads than processors only take turns.
        int atOnce = Math.min(threads, Runtime.getRuntime().availableProcessors());
        return new Rate(CPU_THREAD * atOnce, CPU_THREAD * atOnce, "default rates");
    }
}
