package org.tornadodit.scheduler;

import org.tornadodit.scheduler.tune.Tuning;

/**
 * What the user asks of the kernels.
 *
 * @param precision of the products
 * @param tier which kernels may serve
 * @param tuning variants of the kernels, where it has any
 */
public record KernelOptions(MatmulPrecision precision, Tier tier, Tuning tuning) {

    /** FP32 accuracy with the best kernels that a device has. */
    public static final KernelOptions DEFAULT = new KernelOptions(MatmulPrecision.HIGHEST, Tier.AUTO);

    /** The kernels' defaults. */
    public KernelOptions(MatmulPrecision precision, Tier tier) {
        this(precision, tier, Tuning.NONE);
    }

    /** The same with the variants of a tuning. */
    public KernelOptions with(Tuning variants) {
        return new KernelOptions(precision, tier, variants);
    }

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
