package org.tornadodit.model.noise;

/**
 * Successive {@code torch.randn} calls of one seeded generator. The n-th call of a stream returns what the n-th call
 * with the same sizes returns in PyTorch; {@code randn_like} is the same call. Not thread safe.
 */
public sealed interface NoiseStream permits CudaNoise, CpuNoise {

    /**
     * One {@code torch.randn} of {@code n} elements, of which a part is wanted: the stream advances as for the whole
     * call. Sampling with guidance draws noise for both halves of the batch and uses the first half only, and a shard
     * wants its own samples only.
     *
     * @param n elements of the call, at least 0
     * @param from first element wanted
     * @param to one past the last element wanted, at most {@code n}
     * @return float32 normals, {@code to - from} of them, in row-major order
     * @throws IllegalArgumentException when the range does not lie within the call
     */
    float[] next(int n, int from, int to);

    /** One {@code torch.randn} of {@code n} elements. */
    default float[] next(int n) {
        return next(n, 0, n);
    }

    /** Advances past one call of {@code n} elements. */
    default void skip(int n) {
        next(n, 0, 0);
    }

    /** Checks the arguments of {@link #next(int, int, int)}. */
    static void requireRange(int n, int from, int to) {
        if (n < 0 || from < 0 || from > to || to > n) {
            throw new IllegalArgumentException(
                    "elements %d to %d of a randn call of %d elements".formatted(from, to, n));
        }
    }
}
