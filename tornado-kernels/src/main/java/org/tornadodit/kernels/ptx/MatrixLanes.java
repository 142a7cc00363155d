package org.tornadodit.kernels.ptx;

import org.tornadodit.virtual.WorkItem;

/** What the 32 lanes of a warp do together with matrices: ldmatrix and mma.sync. */
final class MatrixLanes {

    private MatrixLanes() {}

    /** A lane's part in ldmatrix. */
    private record Load(int[] registers, int i, int address) {}

    /** A lane's part in mma.sync: its fragments. */
    private record Fragments(float[] sums, int s, int[] a, int i, int[] b, int j) {}

    static void load(int count, boolean transposed, int[] registers, int i, int address) {
        WorkItem item = WorkItem.current();
        SharedMemoryBytes memory = BlockState.of(item).memory();
        item.exchange(new Load(registers, i, address), "ldmatrix.x" + count + (transposed ? ".trans" : ""), lanes -> {
            for (int m = 0; m < count; m++) {
                int[] rows = new int[8 * 4];
                for (int r = 0; r < 8; r++) {
                    int row = ((Load) lanes[8 * m + r]).address;
                    memory.check(row, 16, 16);
                    for (int word = 0; word < 4; word++) {
                        rows[4 * r + word] = memory.getInt(row + 4 * word);
                    }
                }
                for (int lane = 0; lane < 32; lane++) {
                    Load load = (Load) lanes[lane];
                    load.registers[load.i + m] = transposed
                            ? half(rows, lane % 4 * 2, lane / 4) | half(rows, lane % 4 * 2 + 1, lane / 4) << 16
                            : rows[lane];
                }
            }
            return lanes;
        });
    }

    /** Half {@code column} of row {@code row}, of rows of four ints. */
    private static int half(int[] rows, int row, int column) {
        return rows[4 * row + column / 2] >>> column % 2 * 16 & 0xffff;
    }

    /** {@code C += A B} of 16 x 8 x {@code depth}, 8 or 16. */
    static void multiply(int depth, float[] sums, int s, int[] a, int i, int[] b, int j) {
        WorkItem.current().exchange(new Fragments(sums, s, a, i, b, j), "mma.m16n8k" + depth, lanes -> {
            float[] left = new float[16 * depth];
            float[] right = new float[8 * depth];
            for (int lane = 0; lane < 32; lane++) {
                Fragments own = (Fragments) lanes[lane];
                int g = lane / 4;
                int q = lane % 4;
                for (int k = 0; k < depth / 8; k++) {
                    put(left, g * depth + 8 * k + 2 * q, own.a[own.i + 2 * k]);
                    put(left, (g + 8) * depth + 8 * k + 2 * q, own.a[own.i + 2 * k + 1]);
                    put(right, g * depth + 8 * k + 2 * q, own.b[own.j + k]);
                }
            }
            for (int lane = 0; lane < 32; lane++) {
                Fragments own = (Fragments) lanes[lane];
                for (int r = 0; r < 4; r++) {
                    int row = lane / 4 + r / 2 * 8;
                    int column = lane % 4 * 2 + r % 2;
                    own.sums[own.s + r] = dot(left, row * depth, right, column * depth, depth, own.sums[own.s + r]);
                }
            }
            return lanes;
        });
    }

    /** {@code C += A B} of 8 x 8 x 4 in each quarter of the warp: lanes 4 p to 4 p + 3 and 16 more. */
    static void multiplyQuarters(boolean rows, float[] sums, int s, int[] a, int i, int[] b, int j) {
        WorkItem.current().exchange(new Fragments(sums, s, a, i, b, j), "mma.m8n8k4" + (rows ? ".row" : ""), lanes -> {
            for (int quarter = 0; quarter < 4; quarter++) {
                float[] left = new float[8 * 4];
                float[] right = new float[8 * 4];
                for (int n = 0; n < 8; n++) {
                    Fragments own = (Fragments) lanes[quarter * 4 + n % 4 + n / 4 * 16];
                    for (int pair = 0; pair < 2; pair++) {
                        put(left, n * 4 + 2 * pair, own.a[own.i + pair]);
                        if (rows) {
                            right[(n / 4 * 4 + 2 * pair) * 4 + n % 4] = Halves.first(own.b[own.j + pair]);
                            right[(n / 4 * 4 + 2 * pair + 1) * 4 + n % 4] = Halves.second(own.b[own.j + pair]);
                        } else {
                            put(right, n * 4 + 2 * pair, own.b[own.j + pair]);
                        }
                    }
                }
                for (int n = 0; n < 8; n++) {
                    int lane = quarter * 4 + n % 4 + n / 4 * 16;
                    Fragments own = (Fragments) lanes[lane];
                    for (int r = 0; r < 8; r++) {
                        int row = lane / 16 * 4 + lane % 2 + r / 2 % 2 * 2;
                        int column = r / 4 * 4 + lane / 2 % 2 * 2 + r % 2;
                        own.sums[own.s + r] = dot(left, row * 4, right, column * 4, 4, own.sums[own.s + r]);
                    }
                }
            }
            return lanes;
        });
    }

    private static void put(float[] matrix, int at, int pair) {
        matrix[at] = Halves.first(pair);
        matrix[at + 1] = Halves.second(pair);
    }

    private static float dot(float[] x, int i, float[] y, int j, int count, float start) {
        float sum = start;
        for (int k = 0; k < count; k++) {
            sum += x[i + k] * y[j + k];
        }
        return sum;
    }
}
