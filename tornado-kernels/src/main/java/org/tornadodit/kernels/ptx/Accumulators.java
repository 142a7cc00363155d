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
            int at = index(lane);
            for (int i = 0; i < sums.length; i += 4, at += 8) {
                matrix[at] = sums[i];
                matrix[at + 1] = sums[i + 1];
                matrix[at + 8 * columns] = sums[i + 2];
                matrix[at + 8 * columns + 1] = sums[i + 3];
            }
            Arrays.fill(sums, Float.NaN);
        }
        return has(lane, sums);
    }

    /** Gives the threads their parts back. */
    void leave() {
        for (int lane = 0; lane < LANES; lane++) {
            float[] sums = registers[lane];
            int at = index(lane);
            for (int i = 0; sums != null && i < sums.length; i += 4, at += 8) {
                sums[i] = matrix[at];
                sums[i + 1] = matrix[at + 1];
                sums[i + 2] = matrix[at + 8 * columns];
                sums[i + 3] = matrix[at + 8 * columns + 1];
            }
        }
    }

    /** Place of a lane's first register; register 4 j + 2 h + c lies 8 h rows and 8 j + c columns further. */
    private int index(int lane) {
        return (lane / 32 * 16 + lane % 32 / 4) * columns + lane % 4 * 2;
    }
}
