package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The grammar of an instruction's text. */
class TemplateTest {

    private static final List<Operand> PARAMETERS =
            List.of(Operand.FLOAT_REGISTERS, Operand.INT, Operand.DEVICE_ARRAY, Operand.INT, Operand.FLOAT);

    /** Argument i is ai; constants are 10 i; arrays have 64 registers; offsets 1000 + i. */
    private static final class Named implements Template.Values {
        @Override
        public String result() {
            return "R";
        }

        @Override
        public String argument(int argument) {
            return "a" + argument;
        }

        @Override
        public int constant(int argument) {
            return 10 * argument;
        }

        @Override
        public int count(int argument) {
            return 64;
        }

        @Override
        public int offset(int argument) {
            return 1000 + argument;
        }

        @Override
        public int header() {
            return 16;
        }

        @Override
        public String label() {
            return "LABEL";
        }
    }

    private static Template parse(String text, @Nullable Operand result) {
        return Template.parse("Some.method", text, PARAMETERS, result);
    }

    private static String written(String text) {
        return parse(text, Operand.INT).write(new Named());
    }

    @Test
    void resultArgumentsAndMarks() {
        assertEquals("mov R, a1; [a2+16+1003] LABEL: a4", written("mov $r, $1; [$2+$H+$c3] $L: $4"));
        assertEquals("R_s[a1]", written("$r_s[$1]"), "a bracket after a name is text");
        assertEquals("no marks, (nor) # here", written("no marks, (nor) # here"));
    }

    @Test
    void registers() {
        assertEquals("a0_10", written("$0[1]"));
        assertEquals("a0_11", written("$0[1+1]"));
        assertEquals("{a0_30, a0_31, a0_32, a0_33}", written("{$0[3..4]}"));
        assertEquals("a0_34, a0_35", written("$0[3+4..2]"));
    }

    @Test
    void allRegistersAreCounted() {
        Template all = parse("{$0[*]}", null);
        Template.Values three = new Named3();
        assertEquals("{a0_0, a0_1, a0_2}", all.write(three));
        assertEquals(
                ".reg a0_<64>; x a0_0(R); x a0_1(R); x a0_2(R); end",
                parse(".reg $0_<64>; $each(x $0_#($r);) end", Operand.INT).write(three));
    }

    private static final class Named3 implements Template.Values {
        private final Named named = new Named();

        @Override
        public String result() {
            return named.result();
        }

        @Override
        public String argument(int argument) {
            return named.argument(argument);
        }

        @Override
        public int constant(int argument) {
            return named.constant(argument);
        }

        @Override
        public int count(int argument) {
            return 3;
        }

        @Override
        public int offset(int argument) {
            return named.offset(argument);
        }

        @Override
        public int header() {
            return named.header();
        }

        @Override
        public String label() {
            return named.label();
        }
    }

    @Test
    void aRegisterOutsideTheArrayIsRefused() {
        Template template = parse("$0[1..4]", null);
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> template.write(new Named3()));
        assertEquals("registers 10 to 13 of an array of 3", e.getMessage());
    }

    @Test
    void whatMustBeConstant() {
        assertTrue(parse("$0[1..4] $3", null).needsConstant(1));
        assertFalse(parse("$0[1..4] $3", null).needsConstant(3));
        assertTrue(parse("[$2+$c3] $3", null).splits(3));
        assertFalse(parse("[$2+$c3] $1", null).splits(1));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "$0 $5 | $5, but there are 5 parameters",
                "$x | is none of",
                "mov $ | ends within $",
                "mov 1$ | ends within $",
                "$4[1] | no register array",
                "$0[2] | parameter 2 is DEVICE_ARRAY, expected INT",
                "$0[1 | ends within $",
                "$0[1; | expected ]",
                "$0[1..] | expected a number",
                "$0[1..0] | no registers",
                "$0[1+x] | expected a number",
                "$c4 | parameter 4 is FLOAT, expected INT",
                "$each(mov $0_# | $each( without its )",
                "$each($each(#)) | $each within $each",
                "mov $r, $1 | $r without a result"
            })
    void mistakesNameTheMethod(String text, String problem) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> parse(text, null));
        String message = String.valueOf(e.getMessage());
        assertTrue(message.startsWith("PTX text of Some.method: "), message);
        assertTrue(message.contains(problem), message);
    }
}
