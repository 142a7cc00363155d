package org.tornadodit.model.io.numpy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.tensor.DType;

class NpzStreamTest {
    private static final Shape SHAPE = Shape.of(5, 4, 3, 3);
    private static final long USUAL = 0xFFFFFFFFL;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    private static byte[] data() {
        byte[] data = new byte[(int) SHAPE.elements()];
        new Random(7).nextBytes(data);
        return data;
    }

    /** Both forms of sizes, as Java's reader and the project's understand them; what no test writes is 4 GiB of data. */
    @ParameterizedTest
    @ValueSource(longs = {USUAL, 100})
    void isReadByOthers(long limit) throws Exception {
        byte[] data = data();
        Path file = folder.resolve("a.npz");
        String digest = NpzStream.write(
                file,
                "arr_0",
                DType.U8,
                SHAPE,
                out -> {
                    out.write(data, 0, 36);
                    out.write(data[36]);
                    out.write(data, 37, data.length - 37);
                },
                limit);

        byte[] bytes = Files.readAllBytes(file);
        assertEquals(
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)), digest);
        NpyArray array = Objects.requireNonNull(NpzFile.read(file).get("arr_0"));
        assertEquals(SHAPE, array.shape());
        assertEquals(DType.U8, array.dtype());
        assertArrayEquals(data, array.data().toArray(ValueLayout.JAVA_BYTE));
        try (ZipFile zip = new ZipFile(file.toFile())) {
            ZipEntry entry = zip.getEntry("arr_0.npy");
            byte[] stored = zip.getInputStream(entry).readAllBytes();
            assertEquals(stored.length, entry.getSize());
            assertEquals(1, zip.size());
        }
        int end = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(bytes.length - 22 + 16);
        assertEquals(limit == 100, end == -1, "the archive's end says zip64");
    }

    @Test
    void tooFewDataLeaveTheOldFile() throws IOException {
        Path file = Files.writeString(folder.resolve("a.npz"), "old");
        IOException error = assertThrows(
                IOException.class,
                () -> NpzStream.write(file, "arr_0", DType.U8, SHAPE, out -> out.write(new byte[179])));
        assertTrue(String.valueOf(error.getMessage()).contains("179 bytes of data, expected 180"), error.getMessage());
        assertEquals("old", Files.readString(file));
        try (var files = Files.list(folder)) {
            assertFalse(files.anyMatch(other -> !other.equals(file)));
        }
    }
}
