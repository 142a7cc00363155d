package org.tornadodit.scheduler.graph;

/**
 * What a product reads, in the form that a tier of kernels wants it: written by the kernel that makes it, opaque to the
 * graphs.
 */
interface Operand {

    /** The device arrays that it consists of. */
    Object[] arrays();
}
