package org.tornadodit.ptx;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads an instruction's text, see {@link org.tornadodit.kernels.ptx.Instruction} for what it may hold. */
final class TemplateParser {

    private final String text;
    private final List<Operand> parameters;
    private final @Nullable Operand result;
    private int position;

    TemplateParser(String text, List<Operand> parameters, @Nullable Operand result) {
        this.text = text;
        this.parameters = parameters;
        this.result = result;
    }

    List<Piece> parse() {
        List<Piece> pieces = pieces(text.length(), false);
        if (position != text.length()) {
            throw wrong("ends early");
        }
        return pieces;
    }

    private List<Piece> pieces(int end, boolean repeated) {
        List<Piece> pieces = new ArrayList<>();
        StringBuilder literal = new StringBuilder();
        while (position < end) {
            char c = text.charAt(position++);
            if (c != '$' && !(repeated && c == '#')) {
                literal.append(c);
                continue;
            }
            if (!literal.isEmpty()) {
                pieces.add(new Piece.Text(literal.toString()));
                literal.setLength(0);
            }
            pieces.add(c == '#' ? new Piece.Repetition() : piece(repeated));
        }
        if (!literal.isEmpty()) {
            pieces.add(new Piece.Text(literal.toString()));
        }
        return List.copyOf(pieces);
    }

    private Piece piece(boolean repeated) {
        if (text.startsWith("each(", position)) {
            if (repeated) {
                throw wrong("$each within $each");
            }
            return each();
        }
        char c = next();
        switch (c) {
            case 'r' -> {
                if (result == null) {
                    throw wrong("$r without a result");
                }
                return new Piece.Result();
            }
            case 'H' -> {
                return new Piece.Header();
            }
            case 'L' -> {
                return new Piece.Label();
            }
            case 'c' -> {
                return new Piece.Offset(argument(next(), Operand.INT));
            }
            default -> {
                int argument = argument(c, null);
                return position < text.length() && text.charAt(position) == '['
                        ? registers(argument)
                        : new Piece.Argument(argument);
            }
        }
    }

    private Piece each() {
        if (parameters.isEmpty()
                || !(parameters.getFirst() == Operand.INT
                        || parameters.getFirst().isRegisters())) {
            throw wrong("$each, but the first parameter is neither a register array nor a count");
        }
        position += "each(".length();
        int depth = 1;
        int end = position;
        while (end < text.length() && depth > 0) {
            char c = text.charAt(end++);
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        }
        if (depth > 0) {
            throw wrong("$each( without its )");
        }
        Piece.Each each = new Piece.Each(pieces(end - 1, true));
        position = end;
        return each;
    }

    /** After {@code $2}: {@code [3]}, {@code [3+1]}, {@code [3..4]}, {@code [*]}. */
    private Piece registers(int array) {
        if (!parameters.get(array).isRegisters()) {
            throw wrong("$" + array + "[, but parameter " + array + " is no register array");
        }
        position++;
        char c = next();
        if (c == '*') {
            close();
            return new Piece.AllRegisters(array);
        }
        int index = argument(c, Operand.INT);
        int offset = 0;
        int count = 1;
        if (position < text.length() && text.charAt(position) == '+') {
            position++;
            offset = number();
        }
        if (text.startsWith("..", position)) {
            position += 2;
            count = number();
            if (count == 0) {
                throw wrong("no registers");
            }
        }
        close();
        return new Piece.Registers(array, index, offset, count);
    }

    private void close() {
        if (next() != ']') {
            throw wrong("expected ]");
        }
    }

    private int number() {
        int from = position;
        while (position < text.length() && Character.isDigit(text.charAt(position))) {
            position++;
        }
        if (from == position || position - from > 4) {
            throw wrong("expected a number below 10000");
        }
        return Integer.parseInt(text, from, position, 10);
    }

    private int argument(char digit, @Nullable Operand expected) {
        int argument = digit - '0';
        if (argument < 0 || argument > 9) {
            throw wrong("$" + digit + " is none of $0 to $9, $r, $c, $H, $L and $each(");
        }
        if (argument >= parameters.size()) {
            throw wrong("$" + argument + ", but there are " + parameters.size() + " parameters");
        }
        if (expected != null && parameters.get(argument) != expected) {
            throw wrong("parameter " + argument + " is " + parameters.get(argument) + ", expected " + expected);
        }
        return argument;
    }

    private char next() {
        if (position >= text.length()) {
            throw wrong("it ends within $");
        }
        return text.charAt(position++);
    }

    private IllegalArgumentException wrong(String problem) {
        return new IllegalArgumentException(problem + " (at " + position + " of \"" + text + "\")");
    }
}
