package org.tornadodit.ptx;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** An instruction's text, parsed. */
record Template(List<Piece> pieces) {

    /** What a call puts into the text. */
    interface Values {

        /** Register of the result. */
        String result();

        /** Register or number of an argument. */
        String argument(int argument);

        /** Value of a constant argument. */
        int constant(int argument);

        /** Number of registers of the array in an argument, or value of a constant argument. */
        int count(int argument);

        /** Constant part of an index, in bytes. */
        int offset(int argument);

        /** Bytes before an array's first element. */
        int header();

        /** A name that no other call uses. */
        String label();
    }

    /**
     * Parses a text.
     *
     * @param method whose it is, for messages
     * @throws IllegalArgumentException when the text has a mistake
     */
    static Template parse(String method, String text, List<Operand> parameters, @Nullable Operand result) {
        try {
            return new Template(new TemplateParser(text, parameters, result).parse());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("PTX text of " + method + ": " + e.getMessage(), e);
        }
    }

    /** Whether {@code $cN} splits the index in this argument. */
    boolean splits(int argument) {
        return pieces.contains(new Piece.Offset(argument));
    }

    /** Whether this argument must be constant: the number of a register, or a count. */
    boolean needsConstant(int argument) {
        return pieces.stream()
                .anyMatch(piece -> (piece instanceof Piece.Registers registers && registers.index() == argument)
                        || (piece instanceof Piece.Each && argument == 0));
    }

    String write(Values values) {
        StringBuilder text = new StringBuilder();
        write(text, pieces, values, 0);
        return text.toString();
    }

    private static void write(StringBuilder text, List<Piece> pieces, Values values, int number) {
        for (Piece piece : pieces) {
            switch (piece) {
                case Piece.Text(String literal) -> text.append(literal);
                case Piece.Result() -> text.append(values.result());
                case Piece.Argument(int argument) -> text.append(values.argument(argument));
                case Piece.Registers registers -> text.append(registers(registers, values));
                case Piece.AllRegisters(int argument) ->
                    text.append(names(values.argument(argument), 0, values.count(argument)));
                case Piece.Each(List<Piece> repeated) -> {
                    int count = values.count(0);
                    for (int i = 0; i < count; i++) {
                        write(text, repeated, values, i);
                        text.append(i + 1 < count ? " " : "");
                    }
                }
                case Piece.Repetition() -> text.append(number);
                case Piece.Offset(int argument) -> text.append(values.offset(argument));
                case Piece.Header() -> text.append(values.header());
                case Piece.Label() -> text.append(values.label());
            }
        }
    }

    private static String registers(Piece.Registers registers, Values values) {
        int first = values.constant(registers.index()) + registers.offset();
        int count = values.count(registers.argument());
        if (first < 0 || first + registers.count() > count) {
            throw new IllegalArgumentException(
                    "registers " + first + " to " + (first + registers.count() - 1) + " of an array of " + count);
        }
        return names(values.argument(registers.argument()), first, registers.count());
    }

    private static String names(String array, int first, int count) {
        return IntStream.range(first, first + count)
                .mapToObj(i -> array + "_" + i)
                .collect(Collectors.joining(", "));
    }
}
