package org.tornadodit.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PrintableTest {

    @Test
    void hidesWhatDrivesTerminalsAndCutsWalls() {
        assertEquals("a?b?c?d\u00e9", Printable.text("a\nb\u001bc\u202ed\u00e9"));
        assertEquals("x".repeat(120) + "...", Printable.text("x".repeat(121)));
        assertEquals("x".repeat(120), Printable.text("x".repeat(120)));
    }

    @Test
    void showsBeginningAndEndOfALongPath() {
        assertEquals("a/" + "b".repeat(298), Printable.path(Path.of("a", "b".repeat(298))));
        assertEquals(
                "a/" + "b".repeat(148) + "..." + "b".repeat(146) + ".png",
                Printable.path(Path.of("a", "b".repeat(400) + ".png")));
    }

    @Test
    void linesBecomeOne() {
        assertEquals("a b; c; d", Printable.line("\n a b \r\n\n  c\rd \n", 100));
        assertEquals("x".repeat(72) + "..." + "x".repeat(25), Printable.line("x".repeat(101) + "\n", 100));
        String blanks = "a" + " ".repeat(1_000_000) + "b";
        assertEquals(
                blanks, assertTimeoutPreemptively(Duration.ofSeconds(20), () -> Printable.line(blanks, 2_000_000)));
    }

    @Test
    void jsonStaysTheSame() {
        assertEquals("{\n\"\\u009b\\ue000\u00e9\"}", Printable.json("{\n\"\u009b\ue000\u00e9\"}"));
    }
}
