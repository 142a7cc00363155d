package org.tornadodit.model.cpu;

/**
 * What the CPU engine may use.
 *
 * @param threads threads that compute, the calling one included
 * @param packedWeightBytes weights are kept in the order that products read them if those of the model take at most
 *     this many bytes; otherwise each is packed anew for each use, which costs some percent
 */
public record CpuOptions(int threads, long packedWeightBytes) {

    /** @throws IllegalArgumentException when there is no thread, or a negative number of bytes */
    public CpuOptions {
        if (threads < 1) {
            throw new IllegalArgumentException("threads is " + threads + ", expected at least 1");
        }
        if (packedWeightBytes < 0) {
            throw new IllegalArgumentException("packedWeightBytes is " + packedWeightBytes + ", expected at least 0");
        }
    }

    /** All cores, and an eighth of the heap for packed weights. */
    public static CpuOptions defaults() {
        Runtime runtime = Runtime.getRuntime();
        return new CpuOptions(runtime.availableProcessors(), runtime.maxMemory() / 8);
    }

    /** Floats of a vector of this machine: sums are made in as many parts, which decides their rounding. */
    public static int vectorLanes() {
        return TileKernel.LANES;
    }

    /** The same with another number of threads. */
    public CpuOptions withThreads(int newThreads) {
        return new CpuOptions(newThreads, packedWeightBytes);
    }
}
