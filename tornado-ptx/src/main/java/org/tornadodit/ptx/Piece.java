package org.tornadodit.ptx;

import java.util.List;

/** A piece of an instruction's text. */
sealed interface Piece {

    /** Written as it is. */
    record Text(String text) implements Piece {}

    /** The result's register, or the common part of the names of a result's registers. */
    record Result() implements Piece {}

    /** An argument: register, number, or the common part of the names of a register array. */
    record Argument(int argument) implements Piece {}

    /** {@code count} registers of an array, from the one that constant argument {@code index} plus {@code offset} names. */
    record Registers(int argument, int index, int offset, int count) implements Piece {}

    /** All registers of an array. */
    record AllRegisters(int argument) implements Piece {}

    /** Repeated for every register of argument 0, or as often as it says. */
    record Each(List<Piece> pieces) implements Piece {}

    /** The number of the repetition. */
    record Repetition() implements Piece {}

    /** The constant part of an index in bytes. */
    record Offset(int argument) implements Piece {}

    /** Bytes before an array's first element. */
    record Header() implements Piece {}

    /** A label of the call's own. */
    record Label() implements Piece {}
}
