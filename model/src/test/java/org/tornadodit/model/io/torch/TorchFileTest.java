package org.tornadodit.model.io.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.TestFiles;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;

/** Files made by PyTorch 1.13; their values are (index - 3) / 8. */
class TorchFileTest {

    @Test
    void readsEveryTypeAsFloat32() {
        try (Checkpoint checkpoint = Checkpoints.open(TestFiles.resource("views.pt"))) {
            for (String name : List.of("plain", "half", "bfloat16", "double")) {
                assertTensor(checkpoint, name, Shape.of(2, 3), -0.375f, -0.25f, -0.125f, 0, 0.125f, 0.25f);
            }
            assertTensor(checkpoint, "long", Shape.of(2, 3), -2, -1, 0, 1, 2, 3);
            assertTensor(checkpoint, "int", Shape.of(6), -2, -1, 0, 1, 2, 3);
            assertTensor(checkpoint, "bool", Shape.of(3), 1, 0, 1);
            assertTensor(checkpoint, "scalar", Shape.of(), 0.5f);
            assertTensor(checkpoint, "empty", Shape.of(0, 3));
            assertTensor(checkpoint, "parameter", Shape.of(3), -0.375f, -0.25f, -0.125f);
        }
    }

    @Test
    void followsStridesAndOffsets() {
        try (Checkpoint checkpoint = Checkpoints.open(TestFiles.resource("views.pt"))) {
            float[] base = checkpoint.tensor("base").toArray();
            float[] transposed = checkpoint.tensor("transposed").toArray();
            assertEquals(Shape.of(4, 6), checkpoint.shape("transposed"));
            for (int i = 0; i < 4; i++) {
                for (int j = 0; j < 6; j++) {
                    assertEquals(base[j * 4 + i], transposed[i * 6 + j]);
                }
            }
            assertTensor(checkpoint, "slice", Shape.of(2, 2), base[5], base[6], base[13], base[14]);
            assertTensor(checkpoint, "row", Shape.of(4), base[8], base[9], base[10], base[11]);
            assertTensor(checkpoint, "halfTransposed", Shape.of(3, 2), -0.375f, 0, -0.25f, 0.125f, -0.125f, 0.25f);
            float[] permuted = checkpoint.tensor("permuted").toArray();
            for (int i = 0; i < 24; i++) {
                // (2, 3, 4) permuted to (4, 2, 3)
                int source = (i / 3 % 2) * 12 + (i % 3) * 4 + i / 6;
                assertEquals((source - 3) / 8f, permuted[i]);
            }
        }
    }

    @Test
    void usesContiguousFloat32WhereItLies() {
        try (Checkpoint checkpoint = Checkpoints.open(TestFiles.resource("views.pt"))) {
            assertTrue(checkpoint.tensor("base").data().isMapped());
            long base = checkpoint.tensor("base").data().address();
            assertEquals(base + 8 * Float.BYTES, checkpoint.tensor("row").data().address());
            assertFalse(checkpoint.tensor("half").data().isMapped());
            assertTrue(checkpoint.tensor("half").data().isReadOnly());
        }
    }

    @Test
    void keepsTheOrderOfTheFile() {
        try (Checkpoint checkpoint = Checkpoints.open(TestFiles.resource("views.pt"))) {
            assertEquals(
                    List.of("plain", "half", "bfloat16", "double", "long"),
                    checkpoint.names().stream().limit(5).toList());
        }
    }

    @Test
    void takesTheEmaOfATrainingCheckpoint() {
        try (Checkpoint checkpoint = Checkpoints.open(TestFiles.resource("training.pt"))) {
            assertEquals(List.of("0.weight", "0.bias", "1.weight", "1.bias"), List.copyOf(checkpoint.names()));
            assertTensor(checkpoint, "0.bias", Shape.of(3), 0.625f, 0.75f, 0.875f);
        }
    }

    @Test
    void readsPickleProtocol4() {
        try (Checkpoint checkpoint = Checkpoints.open(TestFiles.resource("protocol4.pt"))) {
            assertTensor(checkpoint, "w", Shape.of(2, 3), 0, 1, 2, 3, 4, 5);
            assertTensor(checkpoint, "u", Shape.of(3, 2), 0, 3, 1, 4, 2, 5);
        }
    }

    @Test
    void executesNothing() {
        String error = TestFiles.refusal(() -> Checkpoints.open(TestFiles.resource("system.pt")));
        assertTrue(error.contains("posix.system"), error);
        assertFalse(Files.exists(Path.of("/tmp/dit-io-test-was-here")));
    }

    @Test
    void refusesACyclicPickle() {
        String error = TestFiles.refusal(() -> Checkpoints.open(TestFiles.resource("cyclic.pt")));
        assertTrue(error.endsWith("tensor ema: expected a tensor, found a dict of 2"), error);
    }

    @Test
    void readsTheFormatBeforePyTorch16() {
        try (Checkpoint legacy = Checkpoints.open(TestFiles.resource("legacy.pt"));
                Checkpoint zip = Checkpoints.open(TestFiles.resource("views.pt"))) {
            assertEquals(zip.names(), legacy.names());
            for (String name : zip.names()) {
                assertTensor(legacy, name, zip.shape(name), zip.tensor(name).toArray());
            }
        }
    }

    private static void assertTensor(Checkpoint checkpoint, String name, Shape shape, float... expected) {
        Tensor tensor = checkpoint.tensor(name);
        assertEquals(shape, checkpoint.shape(name));
        assertEquals(shape, tensor.shape());
        assertArrayEquals(expected, tensor.toArray(), name);
    }
}
