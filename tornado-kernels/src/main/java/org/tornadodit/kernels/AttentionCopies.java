package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.MemoryBarrier;
import org.tornadodit.kernels.ptx.SharedMemory;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** How tiles of keys and values come to {@link TensorAttention}'s shared memory: a tile's keys, then its values. */
final class AttentionCopies {
    /** Bytes of a barrier in shared memory. */
    static final int BARRIER = 8;

    private AttentionCopies() {}

    /**
     * A thread's part of a copy of {@code bytes} by its block.
     *
     * @param to where its first 16 bytes go
     * @param from their index
     * @param last the index that the head's last 16 bytes have: what is past its end is its end again; or -1
     */
    static void copy(int to, IntArray qkv, int from, int last, int bytes, int thread, int threads) {
        int pieces = bytes / 16;
        for (int first = 0; first < pieces; first += threads) {
            if (first + threads <= pieces || first + thread < pieces) {
                if (last < 0) {
                    SharedMemory.copyAsync(to + first * 16, qkv, from + first * 4);
                } else {
                    SharedMemory.copyAsync(to + first * 16, qkv, Math.min(from + first * 4, last));
                }
            }
        }
    }

    /** One thread sets up a barrier for each stage's copies, and one for the warps that have read it. */
    static void initialize(int full, int empty, int stages, int warps) {
        for (int stage = 0; stage < stages; stage++) {
            MemoryBarrier.initialize(full + stage * BARRIER, 1);
            MemoryBarrier.initialize(empty + stage * BARRIER, warps);
        }
        MemoryBarrier.fenceInitialization();
    }

    /** One thread copies {@code bytes} of keys and of values; {@code more} bytes are on their way to the same barrier. */
    static void copyBulk(
            int to, IntArray qkv, int keysAt, int valuesAt, int tileBytes, int bytes, int more, int barrier) {
        MemoryBarrier.arriveExpecting(barrier, 2 * bytes + more);
        MemoryBarrier.copy(to, qkv, keysAt, bytes, barrier);
        MemoryBarrier.copy(to + tileBytes, qkv, valuesAt, bytes, barrier);
    }

    /** Zero for values that no token has, where bulk copies leave a gap: they have no weight, but NaN would stay NaN. */
    static void clear(int address, int bytes, int thread, int threads) {
        for (int i = thread * 16; i < bytes; i += threads * 16) {
            SharedMemory.store(address + i, 0, 0, 0, 0);
        }
        SharedMemory.fenceAsync();
    }
}
