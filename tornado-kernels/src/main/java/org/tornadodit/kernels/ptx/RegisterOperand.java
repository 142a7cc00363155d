package org.tornadodit.kernels.ptx;

import org.jspecify.annotations.Nullable;

/** The operand A (64, 16) of a wgmma product that lies in the registers of its 128 threads. */
final class RegisterOperand {
    private static final int LANES = 128;
    private static final int DEPTH = 16;
    private static final int COUNT = 4;

    private final int[] @Nullable [] registers = new int[LANES][];
    private final int[] values = new int[LANES * COUNT];
    private final int first;

    /** @param first the number of the first of four registers */
    RegisterOperand(int first) {
        this.first = first;
    }

    /** Takes the lane's part. */
    void join(int lane, int[] own) {
        registers[lane] = own;
        System.arraycopy(own, first, values, lane * COUNT, COUNT);
    }

    /** Whether no thread has changed its registers since the call. */
    boolean isUnchanged() {
        for (int lane = 0; lane < LANES; lane++) {
            int[] own = registers[lane];
            for (int i = 0; own != null && i < COUNT; i++) {
                if (own[first + i] != values[lane * COUNT + i]) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Row r, column k in element 16 r + k. */
    void get(float[] matrix) {
        for (int lane = 0; lane < LANES; lane++) {
            for (int i = 0; i < COUNT; i++) {
                int row = lane / 32 * 16 + lane % 32 / 4 + i % 2 * 8;
                int at = row * DEPTH + i / 2 * 8 + lane % 4 * 2;
                matrix[at] = Halves.first(values[lane * COUNT + i]);
                matrix[at + 1] = Halves.second(values[lane * COUNT + i]);
            }
        }
    }
}
