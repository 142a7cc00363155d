package org.tornadodit.model.dit;

/**
 * When guidance is on: while the share of the noise, 1 at the start and 0 at the end, is between two bounds, both included
 * (T. Kynkäänniemi et al. 2024, arXiv 2404.07724, in the times of REPA). Elsewhere samples take one pass.
 *
 * @param low 0 to 1
 * @param high 0 to 1
 */
public record GuidanceInterval(double low, double high) {

    /** All the time. */
    public static final GuidanceInterval ALWAYS = new GuidanceInterval(0, 1);

    /** @throws IllegalArgumentException with one line for the user, when the bounds are out of range or order */
    public GuidanceInterval {
        if (!(low >= 0 && low <= high && high <= 1)) {
            throw new IllegalArgumentException(
                    "guidance from %s to %s: expected 0 <= low <= high <= 1, shares of the noise".formatted(low, high));
        }
    }

    /** Whether guidance is on at a share of the noise; what is beyond 0 and 1 counts as they do. */
    public boolean contains(double noise) {
        double within = Math.clamp(noise, 0, 1);
        return low <= within && within <= high;
    }
}
