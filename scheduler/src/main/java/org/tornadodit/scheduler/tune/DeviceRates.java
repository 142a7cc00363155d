package org.tornadodit.scheduler.tune;

import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.KernelOptions;

/** How fast devices do a model's products: what predictions are made with, and samples divided among unequal devices. */
public interface DeviceRates {

    /**
     * Operations a second, a multiplication and an addition being two.
     *
     * @param denoiser in the transformer's blocks
     * @param decoder in the autoencoder's convolutions
     * @param source where the figures come from, for the user
     */
    record Rate(double denoiser, double decoder, String source) {

        /** @throws IllegalArgumentException when a rate is not positive */
        public Rate {
            if (!(denoiser > 0 && decoder > 0)) {
                throw new IllegalArgumentException("rates of " + denoiser + " and " + decoder);
            }
        }
    }

    /**
     * The rates of a device with the kernels that would serve.
     *
     * @throws DeviceUnavailableException when the kernels that are asked for cannot
     */
    Rate of(ListedDevice device, DitConfig config, KernelOptions kernels);

    /** The rates of the CPU engine. */
    Rate ofCpu(int threads);
}
