package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Registers;

/**
 * The products of {@link MmaLinear}: 16 k of a warp's part of a tile, from operands in registers that came ahead or straight from shared
 * memory, and where among them the next slab's operands and the copies of a stage have their place.
 */
final class MmaProducts {
    /** Rows of one instruction. */
    private static final int ROWS = 16;
    /** Bytes of an 8x8 matrix of halves. */
    private static final int MATRIX = 128;

    private MmaProducts() {}

    /** Sixteens of columns that come into registers a slab ahead: with two planes, whose sums take twice as many, one. */
    static int early(int partColumns, int planes) {
        return planes == 2 ? 1 : partColumns / 16;
    }

    /** Before which sixteen of columns the next slab is loaded, after the last of this one's own loads. */
    static int pause(int partColumns, int planes) {
        return planes == 2 ? partColumns / 16 - 1 : 0;
    }

    /** Before which sixteen of columns of a stage's first slab the stage before is filled again. */
    static int turn(int partColumns, int planes) {
        return planes == 2 ? Math.min(1, partColumns / 16 - 1) : partColumns / 32;
    }

    /** {@code count} times 16 rows and 16 k of an operand in all its planes. */
    static void load(int[] registers, int first, int address, int count, int planes, int form) {
        int size = MmaTile.registers(form);
        for (int i = 0; i < count * planes; i++) {
            int from = address + i / planes * (4 * MATRIX * planes) + i % planes * (2 * MATRIX);
            MmaTile.load(registers, first + i * size, from, MATRIX, form);
        }
    }

    /** 16 k of 16 columns of a warp's part of a tile; with two planes the small products first. */
    static void multiply(
            float[] sums, int j, int[] left, int l, int[] right, int r, int rows, int columns, int planes, int form) {
        int size = MmaTile.registers(form);
        for (int product = planes == 2 ? 0 : 2; product < 3; product++) {
            // lo hi, hi lo, hi hi
            int lowLeft = product == 0 ? size : 0;
            int lowRight = product == 1 ? size : 0;
            for (int i = 0; i < rows / ROWS; i++) {
                int at = i * (columns / 2) + 8 * j;
                MmaTile.multiply(sums, at, left, l + planes * size * i + lowLeft, right, r + lowRight, form);
            }
        }
    }

    /** 16 k of a warp's part of a tile; a and b are a lane's addresses. */
    static void multiply(float[] sums, int a, int b, int rows, int columns, int form) {
        int size = MmaTile.registers(form);
        int[] left = Registers.ints(rows / ROWS * size);
        int[] right = Registers.ints(size);
        for (int i = 0; i < rows / ROWS; i++) {
            MmaTile.load(left, size * i, a + i * (4 * MATRIX), MATRIX, form);
        }
        for (int j = 0; j < columns / 16; j++) {
            MmaTile.load(right, 0, b + j * (4 * MATRIX), MATRIX, form);
            for (int i = 0; i < rows / ROWS; i++) {
                MmaTile.multiply(sums, i * (columns / 2) + 8 * j, left, size * i, right, 0, form);
            }
        }
    }

    /** {@link #multiply} of numbers in two planes, the small products first. */
    static void multiplySplit(float[] sums, int a, int b, int rows, int columns, int form) {
        int size = MmaTile.registers(form);
        int[] left = Registers.ints(rows / ROWS * 2 * size);
        int[] right = Registers.ints(2 * size);
        for (int i = 0; i < rows / ROWS; i++) {
            MmaTile.load(left, 2 * size * i, a + i * (8 * MATRIX), MATRIX, form);
            MmaTile.load(left, 2 * size * i + size, a + i * (8 * MATRIX) + 2 * MATRIX, MATRIX, form);
        }
        for (int j = 0; j < columns / 16; j++) {
            MmaTile.load(right, 0, b + j * (8 * MATRIX), MATRIX, form);
            MmaTile.load(right, size, b + j * (8 * MATRIX) + 2 * MATRIX, MATRIX, form);
            for (int product = 0; product < 3; product++) {
                // lo hi, hi lo, hi hi
                int l = product == 0 ? size : 0;
                int r = product == 1 ? size : 0;
                for (int i = 0; i < rows / ROWS; i++) {
                    int at = i * (columns / 2) + 8 * j;
                    MmaTile.multiply(sums, at, left, 2 * size * i + l, right, r, form);
                }
            }
        }
    }
}
