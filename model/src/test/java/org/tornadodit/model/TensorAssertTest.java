package org.tornadodit.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.opentest4j.AssertionFailedError;
import org.tornadodit.model.TensorAssert.Tolerance;

class TensorAssertTest {

    @Test
    void tellsTheWorstElement() {
        AssertionFailedError error = assertThrows(
                AssertionFailedError.class,
                () -> TensorAssert.assertClose(
                        "x", Shape.of(3), new float[] {1, 2.5f, 3}, new float[] {1, 2, 3}, Tolerance.absolute(0.25)));
        assertEquals("x (3): worst at 1: 2.5, expected 2.0, 2.000 of the tolerance", error.getMessage());
    }

    @Test
    void neverPassesNaN() {
        float[] nan = {Float.NaN};
        assertThrows(
                AssertionFailedError.class,
                () -> TensorAssert.assertClose("x", Shape.of(1), nan, nan, Tolerance.absolute(1e9)));
        assertThrows(
                AssertionFailedError.class,
                () -> TensorAssert.assertRelativeError("x", Shape.of(1), nan, new float[] {1}, 1e9));
    }

    @Test
    void returnsTheShareOfTheToleranceUsed() {
        double share = TensorAssert.assertClose(
                "x", Shape.of(2), new float[] {1, 2.25f}, new float[] {1, 2}, Tolerance.absolute(0.5));
        assertEquals(0.5, share, 1e-12);
        assertTrue(TensorAssert.assertRelativeError("x", Shape.of(1), new float[] {1}, new float[] {1}, 1e-9) == 0);
    }
}
