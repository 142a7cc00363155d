package org.tornadodit.model.io.numpy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.io.file.CheckpointException;

/** Pictures of an {@code .npz}, a few at a time; NumPy wrote the files. */
class NpzPicturesTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    private static byte[] bytes(String name) throws IOException {
        try (var stream = NpzPicturesTest.class.getResourceAsStream("NpzPicturesFuzzTestInputs/bounded/" + name)) {
            assertTrue(stream != null, name);
            return stream.readAllBytes();
        }
    }

    private Path file(byte[] content) throws IOException {
        return Files.write(folder.resolve("a.npz"), content);
    }

    @ParameterizedTest
    @ValueSource(strings = {"stored", "deflated"})
    void comeInPieces(String name) throws IOException {
        try (NpzPictures pictures = new NpzPictures(file(bytes(name)))) {
            assertEquals(4, pictures.count());
            assertEquals(2, pictures.height());
            assertEquals(2, pictures.width());
            byte[] some = new byte[3 * pictures.pictureBytes() + 1];
            assertEquals(3, pictures.read(some));
            byte[] expected = new byte[36];
            for (int i = 0; i < expected.length; i++) {
                expected[i] = (byte) i;
            }
            assertArrayEquals(expected, Arrays.copyOf(some, 36));
            assertEquals(1, pictures.read(some));
            assertEquals(36, some[0]);
            assertEquals(0, pictures.read(some));
            assertEquals(Optional.empty(), pictures.statistics("mu"));
        }
    }

    @Test
    void statisticsLieBeside() throws IOException {
        try (NpzPictures pictures = new NpzPictures(file(bytes("statistics")))) {
            assertArrayEquals(new double[3], pictures.statistics("mu").orElseThrow());
            assertEquals(9, pictures.statistics("sigma").orElseThrow().length);
        }
        Path none = folder.resolve("none.npz");
        NpzFile.write(none, Map.of());
        try (NpzPictures pictures = new NpzPictures(none)) {
            assertFalse(pictures.hasPictures());
            assertEquals(0, pictures.read(new byte[9]));
        }
    }

    /** A level that is another, a file that is cut off, arrays of another kind: one line that names the file. */
    @Test
    void damageIsNamed() throws IOException {
        byte[] stored = bytes("stored");
        stored[200] ^= 1; // among the levels
        assertTrue(refusal(stored).contains("the file is damaged: expected CRC-32 "), refusal(stored));
        assertTrue(
                refusal(Arrays.copyOf(bytes("stored"), 150)).contains("cannot be read as .npz: "),
                refusal(Arrays.copyOf(bytes("stored"), 150)));
        assertEquals(
                folder.resolve("a.npz")
                        + ": arr_0.npy: expected uint8 pictures (N, H, W, 3), found F32 of shape (4, 2, 2, 3)",
                refusal(bytes("floats")));
        assertTrue(refusal(new byte[0]).contains("cannot be read as .npz: "), refusal(new byte[0]));
    }

    private String refusal(byte[] content) throws IOException {
        Path file = file(content);
        return String.valueOf(assertThrows(CheckpointException.class, () -> {
                    try (NpzPictures pictures = new NpzPictures(file)) {
                        byte[] some = new byte[100];
                        while (pictures.read(some) > 0) {
                            continue;
                        }
                    }
                })
                .getMessage());
    }
}
