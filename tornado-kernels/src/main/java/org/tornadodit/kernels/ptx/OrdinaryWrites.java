package org.tornadodit.kernels.ptx;

/**
 * Which shared memory threads wrote by stores and cp.async, and who has made it visible to wgmma since: the writing
 * thread after its write, or the reading one, by a fence (PTX ISA, "Async proxy"). Nothing else notices such a fence
 * missing.
 */
final class OrdinaryWrites {
    private static final int UNIT = 16;

    private final int[] writtenAt;
    private final short[] writers;
    private final int[] fencedAt;
    private int clock;

    OrdinaryWrites(int bytes, int threads) {
        writtenAt = new int[(bytes + UNIT - 1) / UNIT];
        writers = new short[writtenAt.length];
        fencedAt = new int[threads];
    }

    /** A thread has written there. */
    void write(int offset, int length, int thread) {
        clock++;
        for (int unit = offset / UNIT; unit * UNIT < offset + length; unit++) {
            writtenAt[unit] = clock;
            writers[unit] = (short) thread;
        }
    }

    /** A bulk copy has written there. */
    void erase(int offset, int length) {
        for (int unit = offset / UNIT; unit * UNIT < offset + length; unit++) {
            writtenAt[unit] = 0;
        }
    }

    void fence(int thread) {
        fencedAt[thread] = ++clock;
    }

    /** Time of the latest write there that its own thread has not fenced; 0 without one. */
    int latestUnfenced(int offset, int length) {
        int latest = 0;
        for (int unit = offset / UNIT; unit * UNIT < offset + length; unit++) {
            if (writtenAt[unit] > fencedAt[writers[unit]]) {
                latest = Math.max(latest, writtenAt[unit]);
            }
        }
        return latest;
    }

    /** Whether the thread has fenced after that time. */
    boolean isFenced(int thread, int time) {
        return fencedAt[thread] > time || time == 0;
    }
}
