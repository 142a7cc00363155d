package org.tornadodit.kernels;

/** The tile that a work group of {@link TensorLinear} or {@link MmaLinear} makes at a time, a constant of the kernel. */
public sealed interface ProductTile permits TensorLinear.Tile, MmaLinear.Tile {

    /** Rows of the product. */
    int rows();

    /** Columns of the product. */
    int columns();

    /** 16 k each, that are in shared memory at a time and divide K. */
    int slabs();

    /** All of it in one int: a task has twenty parameters at most. */
    int code();

    /** Threads of a work group. */
    int threads();

    /** Work groups that a multiprocessor has at a time. */
    int together();

    /** Stages of k in shared memory. */
    int stages(int planes);

    /** Work groups of a product (m, n) on a device of that many multiprocessors. */
    default int blocks(int m, int n, int multiprocessors) {
        return Math.min(multiprocessors * together(), Launch.ceilDiv(m, rows()) * Launch.ceilDiv(n, columns()));
    }
}
