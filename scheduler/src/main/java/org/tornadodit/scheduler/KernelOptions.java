package org.tornadodit.scheduler;

/**
 * What the user asks of the kernels.
 *
 * @param precision of the products
 * @param tier which kernels may serve
 */
public record KernelOptions(MatmulPrecision precision, Tier tier) {

    /** FP32 accuracy with the best kernels that a device has. */
    public static final KernelOptions DEFAULT = new KernelOptions(MatmulPrecision.HIGHEST, Tier.AUTO);

    /** Sets of kernels. */
    public enum Tier {
        /** The best that the device and the model allow. */
        AUTO,
        /** Plain FP32 on any device. */
        PORTABLE,
        /** Tensor cores; an error where they cannot serve. */
        TENSOR
    }
}
