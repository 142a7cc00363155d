package org.tornadodit.model.dit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ClassNamesTest {
    private static final ClassNames NAMES = new ClassNames(List.of("fox", "ice cream", "42"), List.of(0));

    @Test
    void findsByNumberAndByName() {
        assertEquals(1, NAMES.parse("1", 3));
        assertEquals(0, NAMES.parse(" Fox ", 3));
        assertEquals(1, NAMES.parse("ice-cream", 3));
        assertEquals(2, NAMES.parse("42", 3), "a name that looks like a number is a name");
    }

    @Test
    void refusesWhatTheModelDoesNotKnow() {
        assertTrue(message("5000", 1000).contains("classes 0 to 999"));
        assertTrue(message("-1", 1000).contains("out of range"));
        assertTrue(message("walrus", 3).contains("fox, ice cream"));
    }

    @Test
    void theReferencesLabelsAreTheDefaultOfImageNet() {
        assertEquals(
                List.of(207, 360, 387, 974, 88, 979, 417, 279),
                ClassNames.numbered(1000).favourites());
        assertEquals(List.of(0, 1, 2), ClassNames.numbered(3).favourites());
    }

    private static String message(String label, int numClasses) {
        return assertThrows(IllegalArgumentException.class, () -> NAMES.parse(label, numClasses))
                .toString();
    }
}
