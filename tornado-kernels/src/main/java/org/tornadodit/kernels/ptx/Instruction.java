package org.tornadodit.kernels.ptx;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The PTX text that a call of the method becomes on an NVIDIA GPU; the method's Java body is what it means on the host.
 *
 * <p>In the text:
 *
 * <ul>
 *   <li>{@code $r} is the result, {@code $0} to {@code $9} an argument: a register, or the number where it is constant;
 *   <li>{@code $2[3]} is a register of the register array (see {@link Registers}) in argument 2: the one whose number is
 *       argument 3, which must be constant after unrolling. {@code $2[3+1]} is the next one, {@code $2[3..4]} four of them
 *       from there, {@code $2[*]} all, comma-separated;
 *   <li>{@code $each(...)} repeats its text for every register of argument 0 (or as often as constant argument 0 says),
 *       with {@code #} for the number;
 *   <li>{@code $c3} is the constant part of index argument 3 in bytes of 4-byte elements, and {@code $3} then its variable
 *       part; {@code $H} the bytes before an array's first element; {@code $L} a label of its own for each call;
 *   <li>a line that starts with {@code //!} is left out where a kernel has no dynamic shared memory, see
 *       {@link SharedMemory#dynamic}; {@code //!entry} puts the rest of its line into the kernel's header.
 * </ul>
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Instruction {

    /** The text. */
    String value();

    /** The text for compute capability 7, where it has to be another one. */
    String volta() default "";

    /** Number of the argument that is a device array which is read; -1 for none. */
    int reads() default -1;

    /** Number of the argument that is a device array which is written; -1 for none. */
    int writes() default -1;

    /**
     * Whether the call reads or writes memory, changes a register array or waits: it then keeps its place among all
     * others of this kind and among ordinary reads and writes. Without, the compiler may move, merge or drop it.
     */
    boolean ordered() default true;
}
