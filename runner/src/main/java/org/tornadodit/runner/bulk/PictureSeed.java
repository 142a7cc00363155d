package org.tornadodit.runner.bulk;

import org.tornadodit.pipeline.Rng;

/**
 * The rule that makes pictures independent of who makes them: picture {@code i} of a run with the seed {@code s} is what
 * {@code dit sample} makes, as a batch of one, of the seed {@code 1000000 s + i}. In decimals that is the run's seed with the
 * file's name behind it, so that runs of different seeds have no noise in common.
 */
final class PictureSeed {
    /** Pictures of a run: names have six digits, as facebookresearch/DiT's {@code sample_ddp.py} writes them. */
    static final int MOST_PICTURES = 1_000_000;

    /** In the manifest's words. */
    static final String RULE = MOST_PICTURES + " * seed + number";

    private static final long LARGEST = Long.MAX_VALUE / MOST_PICTURES - 1;

    /** PyTorch's generator on the CPU takes 32 bits of a seed. */
    private static final long LARGEST_OF_CPU = (1L << 32) / MOST_PICTURES - 1;

    private PictureSeed() {}

    /** The seed of a picture. */
    static long of(long seed, int number) {
        return seed * MOST_PICTURES + number;
    }

    /**
     * Passes where every picture's seed is its own.
     *
     * @throws IllegalArgumentException when the run's seed is out of range
     */
    static void require(long seed, Rng rng) {
        long largest = rng == Rng.CPU ? LARGEST_OF_CPU : LARGEST;
        if (seed < 0 || seed > largest) {
            throw new IllegalArgumentException(
                    "--seed is %s, expected 0 to %d%s: picture i has the seed %d times that, plus i"
                            .formatted(
                                    Long.toUnsignedString(seed),
                                    largest,
                                    rng == Rng.CPU ? " with --rng cpu" : "",
                                    MOST_PICTURES));
        }
    }
}
