package org.tornadodit.scheduler.engine;

import java.util.Locale;

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

    /** The same at another precision. */
    public KernelOptions at(MatmulPrecision other) {
        return new KernelOptions(other, tier, tuning);
    }

    /** The same with the variants of a tuning. */
    public KernelOptions with(Tuning variants) {
        return new KernelOptions(precision, tier, variants);
    }

    /** Sets of kernels, by what they compute with. */
    public enum Tier {
        /** {@link #WGMMA} where the device and the model allow, else {@link #PORTABLE}. */
        AUTO,
        /** Plain FP32 on any device. */
        PORTABLE,
        /** Warp instructions of the tensor cores of any NVIDIA GPU from Volta on; an error where they cannot serve. */
        MMA,
        /** Warpgroup instructions of Hopper's tensor cores; an error where they cannot serve. */
        WGMMA;

        /** The word for it: of the option, in lines and documents. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
