package org.tornadodit.scheduler.graph;

import org.tornadodit.kernels.GroupStatistics;
import org.tornadodit.kernels.PackedMap;
import org.tornadodit.kernels.TensorCores;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;

/**
 * Which kernels the decoder's convolutions use.
 *
 * @param tier whose they are
 * @param planes halves of a number on tensor cores: 1, or 2 for FP32's accuracy; any number where the kernels are portable
 * @param cores of the device; any where the kernels are portable
 */
public record DecoderTier(Tier tier, int planes, TensorCores cores) {

    static final DecoderTier PORTABLE = new DecoderTier(Tier.PORTABLE, 1, new TensorCores.Warpgroups(1));

    /** Tensor cores where the autoencoder's sizes suit them, the portable kernels where they do not. */
    public static DecoderTier tensorCores(VaeConfig config, int planes, TensorCores cores) {
        boolean fits = config.blockOutChannels().stream()
                .allMatch(channels -> channels % PackedMap.CHANNELS == 0 && GroupStatistics.fits(channels));
        return fits ? new DecoderTier(TensorOperations.tier(cores), planes, cores) : PORTABLE;
    }

    /** On Hopper. */
    public static DecoderTier tensorCores(VaeConfig config, int planes, int multiprocessors) {
        return tensorCores(config, planes, new TensorCores.Warpgroups(multiprocessors));
    }

    public boolean isPortable() {
        return tier == Tier.PORTABLE;
    }
}
