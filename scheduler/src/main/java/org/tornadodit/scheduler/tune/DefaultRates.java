package org.tornadodit.scheduler.tune;

import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.graph.Operations;

/**
 * Rates of devices that nobody has measured: the share of their peak that the kernels reached where it was measured. Good
 * enough to tell seconds from hours, and a device from one of twice its size.
 */
public final class DefaultRates implements DeviceRates {

    /**
     * Kernels' share of the peak of FP32 outside the tensor cores, measured on an H200.
     *
     * @param denoiser over the peak
     * @param decoder likewise
     */
    private record Share(double denoiser, double decoder) {
        static Share of(Tier tier, MatmulPrecision precision) {
            return switch (tier) {
                case PORTABLE -> new Share(0.57, 0.52);
                case WGMMA ->
                    switch (precision) {
                        case HIGHEST -> new Share(2.07, 2.5);
                        case HIGH -> new Share(4.32, 4.5);
                    };
                case AUTO -> throw new IllegalArgumentException("no kernels are auto");
            };
        }
    }

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
        Operations operations = KernelChoice.of(device, config, kernels).operations();
        Share share = Share.of(operations.tier(), operations.precision());
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
