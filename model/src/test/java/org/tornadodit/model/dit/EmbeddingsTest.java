package org.tornadodit.model.dit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.TensorAssert.Tolerance;

class EmbeddingsTest {

    @Test
    void timestepsAreCosinesThenSinesOfFallingFrequencies() {
        float[] embedding = TimestepEmbedding.of(999);
        assertEquals(256, embedding.length);
        for (int i = 0; i < 128; i++) {
            double angle = 999 * Math.pow(10_000, -i / 128.0);
            // float32 frequencies: half a unit in the last place, times 999.
            assertEquals(Math.cos(angle), embedding[i], 999 * 1.2e-7, "cosine " + i);
            assertEquals(Math.sin(angle), embedding[128 + i], 999 * 1.2e-7, "sine " + i);
        }
        assertEquals(1f, TimestepEmbedding.of(0)[127]);
        assertEquals(0f, TimestepEmbedding.of(0)[128]);
    }

    @Test
    void positionsTellTheColumnFirst() {
        float[] embedding = PositionEmbedding.sinCos(8, 3);
        int token = (2 * 3 + 1) * 8; // row 2, column 1
        float[] expected = {
            (float) Math.sin(1), (float) Math.sin(0.01), (float) Math.cos(1), (float) Math.cos(0.01),
            (float) Math.sin(2), (float) Math.sin(0.02), (float) Math.cos(2), (float) Math.cos(0.02)
        };
        float[] actual = new float[8];
        System.arraycopy(embedding, token, actual, 0, 8);
        TensorAssert.assertClose("position", Shape.of(8), actual, expected, Tolerance.absolute(1e-7));
        assertThrows(IllegalArgumentException.class, () -> PositionEmbedding.sinCos(6, 3));
    }
}
