package org.tornadodit.scheduler.engine;

import org.tornadodit.model.dit.DitConfig;

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

    /**
     * Operations of the blocks' linear layers for one sample below which one product is no faster than three: a step of such
     * a model is decided by its launches. The demo model has 0.8e9, DiT-XL/2 at 256 x 256 230e9.
     */
    private static final double SMALL_FLOPS = 4e9;

    /**
     * What a model gets: {@link MatmulPrecision#HIGHEST} in place of {@link MatmulPrecision#HIGH} where HIGH would save no
     * time. It depends on the model alone, so that bits depend neither on the batch nor on the devices.
     */
    public KernelOptions forModel(DitConfig config) {
        double d = config.hiddenSize();
        double flops = 2 * config.tokens() * config.depth() * (4 * d * d + 2 * d * config.mlpHidden());
        return precision == MatmulPrecision.HIGH && flops < SMALL_FLOPS
                ? new KernelOptions(MatmulPrecision.HIGHEST, tier, tuning)
                : this;
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
