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
        static Share of(Tier tier, MatmulPrecision precision, String capability) {
            return switch (tier) {
                case PORTABLE -> new Share(0.57, 0.52);
                case WGMMA ->
                    switch (precision) {
                        case HIGHEST -> new Share(2.07, 2.5);
                        case HIGHER -> new Share(2.6, 2.5);
                        case HIGH -> new Share(4.32, 4.5);
                    };
                case MMA -> ofMma(precision, capability);
                case AUTO -> throw new IllegalArgumentException("no kernels are auto");
            };
        }

        /**
         * By the tensor cores' multiply-adds of halves with FP32 sums a cycle, over those of FP32: NVIDIA's architecture
         * whitepapers; of GA10x, AD10x and GB20x those of GeForce, which has half. The kernels reach about half of them, as measured on an H200.
         */
        private static Share ofMma(MatmulPrecision precision, String capability) {
            double ratio = switch (capability) {
                case "7.0", "7.2", "7.5" -> 8;
                case "8.0" -> 16;
                case "9.0" -> 10;
                case "10.0", "10.3" -> 8;
                default -> 2;
            };
            double decoder = MMA_HIGH * ratio / 3;
            return switch (precision) {
                case HIGHEST, HIGHER -> new Share(MMA_HIGHEST * ratio / 3, decoder);
                case HIGH -> new Share(MMA_HIGH * ratio, decoder);
            };
        }
    }

    /** Of the tensor cores' peak by mma.sync, with three products. */
    private static final double MMA_HIGHEST = 0.57;

    /** Likewise with one. */
    private static final double MMA_HIGH = 0.5;

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
        String capability = device.capability().orElse("");
        Share share = Share.of(operations.tier(), operations.precision(), capability);
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
