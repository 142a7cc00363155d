package org.tornadodit.model.cpu;

import org.jspecify.annotations.Nullable;

/**
 * Matrix products, the one place where the engine's time goes. {@code out = left * right + bias}; an element's sum
 * depends on its row and its column alone, never on the other rows, the batch or the threads.
 */
interface MatrixProduct {

    /**
     * The left side: rows that lie anywhere in an array. A row of a convolution has one piece for each tap of its
     * filter, a row of a matrix has one.
     *
     * @param data where the rows are
     * @param taps pieces of a row
     * @param pieces where each piece begins
     */
    record Left(float[] data, int taps, Pieces pieces) {

        /** A matrix whose row r begins at {@code offset + r * stride}. */
        static Left matrix(float[] data, int offset, int stride) {
            return new Left(data, 1, (row, tap) -> offset + row * stride);
        }
    }

    /** Where the pieces of the rows begin. */
    @FunctionalInterface
    interface Pieces {
        /** Index of the first element of piece {@code tap} of row {@code row}. */
        int offset(int row, int tap);
    }

    /** The result: row r, column c is {@code data[offset + r * stride + c]}. */
    record Output(float[] data, int offset, int stride) {}

    /** All rows times all columns, on the calling thread. */
    void multiply(Left left, int rows, PackedMatrix right, Output out);

    /** All rows times all columns, on all threads, plus a bias for each column where there is one. */
    void multiply(Workers workers, Left left, int rows, PackedMatrix right, float @Nullable [] bias, Output out);
}
