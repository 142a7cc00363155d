package org.tornadodit.model.noise;

import java.math.BigInteger;

/** Starts streams as {@code torch.manual_seed(seed)} does. */
public final class TorchRandn {

    private static final BigInteger LOWEST = BigInteger.ONE.shiftLeft(63).negate();
    private static final BigInteger HIGHEST = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

    private TorchRandn() {}

    /** {@code torch.randn(..., device="cuda")} on a GPU of {@link CudaGrid#DEFAULT}'s size. */
    public static NoiseStream cuda(long seed) {
        return cuda(seed, CudaGrid.DEFAULT);
    }

    /** {@code torch.randn(..., device="cuda")} on a GPU of this size. */
    public static NoiseStream cuda(long seed, CudaGrid grid) {
        return new CudaNoise(seed, 0, grid);
    }

    /** {@code torch.randn(..., device="cpu")} of PyTorch's builds for x86-64. */
    public static NoiseStream cpu(long seed) {
        return new CpuNoise(seed);
    }

    /**
     * Reads a seed as {@code torch.manual_seed} takes it: -2^63 to 2^64 - 1, where a negative number stands for the
     * 64-bit word with the same bits (its two's complement).
     *
     * @throws IllegalArgumentException when the text is not a whole number, or out of range
     */
    public static long parseSeed(String text) {
        BigInteger seed;
        try {
            seed = new BigInteger(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("seed '%s' is not a whole number".formatted(text), e);
        }
        if (seed.compareTo(LOWEST) < 0 || seed.compareTo(HIGHEST) > 0) {
            throw new IllegalArgumentException("seed %s is out of range: -2^63 to 2^64 - 1".formatted(seed));
        }
        return seed.longValue();
    }
}
