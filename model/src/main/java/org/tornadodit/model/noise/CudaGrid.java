package org.tornadodit.model.noise;

/**
 * The size of a GPU, as far as PyTorch's random kernels depend on it: a launch has at most as many blocks of 256 threads
 * as fit onto all multiprocessors at once, and threads come round again for the elements beyond. Up to
 * {@code 256 * multiprocessors * (threadsPerMultiprocessor / 256)} elements of a call, and all calls of up to four times
 * as many, are the same on every GPU at least that large: 131072 elements from 64 multiprocessors of 2048 threads on.
 *
 * <p>Source: {@code calc_execution_policy} in PyTorch's {@code DistributionTemplates.h}.
 *
 * @param multiprocessors number of multiprocessors (SMs)
 * @param threadsPerMultiprocessor most resident threads of one
 */
public record CudaGrid(int multiprocessors, int threadsPerMultiprocessor) {

    /** H100 SXM and H200; A100 (108 multiprocessors) differs only beyond 221184 elements. */
    public static final CudaGrid DEFAULT = new CudaGrid(132, 2048);

    static final int BLOCK = 256;
    /** Normals that one Philox block of four words makes. */
    static final int UNROLL = 4;

    /** @throws IllegalArgumentException when not even one block fits */
    public CudaGrid {
        if (multiprocessors < 1 || threadsPerMultiprocessor < BLOCK) {
            throw new IllegalArgumentException("%d multiprocessors of %d threads: at least 1 of %d are needed"
                    .formatted(multiprocessors, threadsPerMultiprocessor, BLOCK));
        }
    }

    /** Threads that PyTorch launches for a call of {@code n} elements: a multiple of 256. */
    public long threads(long n) {
        long resident = (long) multiprocessors * (threadsPerMultiprocessor / BLOCK);
        return BLOCK * Math.min(resident, (n + BLOCK - 1) / BLOCK);
    }

    /** Philox counters that a call of {@code n} elements uses up: PyTorch's offset advances by four times as much. */
    public long counters(long n) {
        return n == 0 ? 0 : (n - 1) / (UNROLL * threads(n)) + 1;
    }
}
