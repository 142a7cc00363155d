package org.tornadodit.kernels.ptx;

import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * A bulk copy that adds what it reads in shared memory, and is under way: it reads as late as it may.
 *
 * @param fingerprint of what it is to read
 */
record BulkAddition(FloatArray target, int index, int address, int bytes, long fingerprint) {

    /** Begins one, checking both sides. */
    static BulkAddition of(SharedMemoryBytes memory, int thread, FloatArray target, int index, int address, int bytes) {
        Alignment.check(index, 4);
        if (bytes <= 0 || bytes % 16 != 0) {
            throw new IllegalArgumentException("a bulk copy of " + bytes + " bytes: it has a multiple of 16");
        }
        target.get(index);
        target.get(index + bytes / 4 - 1);
        if (!memory.isFenced(thread, memory.latestUnfenced(address, bytes))) {
            throw new IllegalStateException("a bulk copy of " + bytes + " bytes at shared memory address " + address
                    + " reads what threads have written without fenceAsync");
        }
        return new BulkAddition(target, index, address, bytes, memory.fingerprint(address, bytes, 0));
    }

    void finish(SharedMemoryBytes memory) {
        if (memory.fingerprint(address, bytes, 0) != fingerprint) {
            throw new IllegalStateException("shared memory was overwritten while a bulk copy was reading it: " + bytes
                    + " bytes at address " + address);
        }
        for (int i = 0; i < bytes / 4; i++) {
            float added = Float.intBitsToFloat(memory.getInt(address + 4 * i));
            target.set(index + i, sum(target.get(index + i), added));
        }
    }

    /** As the second-level cache adds. */
    static float sum(float a, float b) {
        return normal(normal(a) + normal(b));
    }

    private static float normal(float x) {
        return Math.abs(x) < Float.MIN_NORMAL ? Math.copySign(0f, x) : x;
    }
}
