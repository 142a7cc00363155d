package org.tornadodit.scheduler.graph;

/**
 * Addresses of the host's memory that stands for a device's arrays where others do not reach these.
 *
 * @param sites of what stands for the array that boxes of each site come to, see {@link org.tornadodit.kernels.Exchange}; 0
 *     where none come
 * @param flags of what stands for its state
 */
public record HostLanding(long[] sites, long flags) {
    /** Of a device without exchanges. */
    public static final HostLanding NONE = new HostLanding(new long[0], 0);
}
