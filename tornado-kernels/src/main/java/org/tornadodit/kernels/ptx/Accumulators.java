package org.tornadodit.kernels.ptx;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The accumulators of wgmma products under way: (64, columns), taken from the threads, who hold NaN meanwhile. */
final class Accumulators {
    private static final int LANES = 128;

    private final int columns;
    private final float[] @Nullable [] registers = new float[LANES][];

    /** (64, columns). */
    final float[] matrix;

    /** How many products on them are under way. */
    int products;

    Accumulators(int columns) {
        this.columns = columns;
        this.matrix = new float[64 * columns];
    }

    /** Whether these registers of the lane, not others with the same numbers, are among them. */
    @SuppressWarnings("ReferenceEquality")
    boolean has(int lane, float[] sums) {
        return registers[lane] == sums;
    }

    /** Takes the lane's part. False if it has given other registers before. */
    boolean join(int lane, float[] sums) {
        if (registers[lane] == null) {
            registers[lane] = sums;
            for (int i = 0; i < sums.length; i++) {
                matrix[index(lane, i)] = sums[i];
            }
            Arrays.fill(sums, Float.NaN);
        }
        return has(lane, sums);
    }

    /** Gives the threads their parts back. */
    void leave() {
        for (int lane = 0; lane < LANES; lane++) {
            float[] sums = registers[lane];
            for (int i = 0; sums != null && i < sums.length; i++) {
                sums[i] = matrix[index(lane, i)];
            }
        }
    }

    /** Place of register 4 j + 2 h + c of a lane: row 16 warp + lane / 4 + 8 h, column 8 j + 2 (lane % 4) + c. */
    private int index(int lane, int i) {
        int row = lane / 32 * 16 + lane % 32 / 4 + i / 2 % 2 * 8;
        return row * columns + i / 4 * 8 + lane % 4 * 2 + i % 2;
    }
}
