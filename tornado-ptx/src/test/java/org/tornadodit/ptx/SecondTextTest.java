package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Lines //! put to work. */
class SecondTextTest {

    private static final String FIRST = """
            .version 8.0
            .visible .entry name(.param .u64 a) {
            \t//!shared 98304
            \tmov.u32 r, 0; //!-
            \t//!mov.u32 r, dynamicShared;
            \t//!entry .maxntid 384, 1, 1 .minnctapersm 1
            \tret;
            }
            """;

    @Test
    void linesAreAtWork() {
        assertTrue(SecondText.isNeeded(FIRST));
        SecondText second = SecondText.of(FIRST);
        assertEquals(98304, second.sharedBytes());
        assertEquals("""
                .version 8.0
                .extern .shared .align 1024 .b8 dynamicShared[];
                .visible .entry name(.param .u64 a) .maxntid 384, 1, 1 .minnctapersm 1 {
                \tmov.u32 r, dynamicShared;
                \tret;
                }
                """, second.ptx().stripTrailing() + "\n");
    }

    @Test
    void directivesAlone() {
        SecondText second = SecondText.of(".visible .entry n() {\n//!entry .maxntid 512, 1, 1\n}");
        assertEquals(".visible .entry n() .maxntid 512, 1, 1 {\n}\n", second.ptx());
        assertEquals(0, second.sharedBytes());
    }

    @Test
    void aKernelWithoutSuchLinesIsLoadedOnce() {
        assertFalse(SecondText.isNeeded(".visible .entry n() {\n// a comment\n}"));
    }

    @Test
    void mistakes() {
        assertThrows(IllegalArgumentException.class, () -> SecondText.of("//!shared 16\n//!shared 16"));
        assertThrows(IllegalArgumentException.class, () -> SecondText.of("//!shared 16"));
    }
}
