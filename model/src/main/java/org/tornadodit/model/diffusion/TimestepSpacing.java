package org.tornadodit.model.diffusion;

import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Which of the trained timesteps a solver visits: diffusers' {@code timestep_spacing}, after table 2 of Lin et al. 2023
 * (arXiv 2305.08891), with numpy's roundings.
 */
public enum TimestepSpacing {
    /** {@code np.linspace(0, 999, steps + 1)}, rounded, without 0. */
    LINSPACE,
    /** Multiples of {@code 1000 // (steps + 1)}, without 0: the noisiest timesteps are left out. */
    LEADING,
    /** {@code np.arange(1000, 0, -1000 / steps)}, rounded, less 1: from 999, to the least noise of the three. */
    TRAILING;

    /**
     * The timesteps, descending.
     *
     * @param steps how many, 1 to 999
     */
    int[] timesteps(int steps) {
        int trained = Diffusion.TRAINED_TIMESTEPS;
        return switch (this) {
            case LINSPACE -> {
                int last = trained - 1;
                double stride = (double) last / steps;
                yield descending(steps, done -> done == 0 ? last : (int) Math.rint((steps - done) * stride));
            }
            case LEADING -> {
                int stride = trained / (steps + 1);
                yield descending(steps, done -> (steps - done) * stride);
            }
            case TRAILING -> {
                // np.arange adds multiples of what its second entry differs by from the first.
                double stride = (trained - (double) trained / steps) - trained;
                yield descending(steps, done -> (int) Math.rint(trained + done * stride) - 1);
            }
        };
    }

    private static int[] descending(int steps, IntUnaryOperator timestep) {
        return IntStream.range(0, steps).map(timestep).toArray();
    }
}
