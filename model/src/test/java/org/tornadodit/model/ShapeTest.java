package org.tornadodit.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ShapeTest {

    @Test
    void printsAsPyTorchDoes() {
        assertEquals("(16, 1024, 1152)", Shape.of(16, 1024, 1152).toString());
    }

    @Test
    void countsFromTheEndForNegativeIndices() {
        assertEquals(1152, Shape.of(16, 1024, 1152).dim(-1));
    }

    @Test
    void aScalarHasOneElement() {
        assertEquals(1, Shape.of().elements());
    }

    @Test
    void refusesMoreElementsThanALongCounts() {
        assertThrows(IllegalArgumentException.class, () -> Shape.of(1L << 40, 1L << 40));
    }
}
