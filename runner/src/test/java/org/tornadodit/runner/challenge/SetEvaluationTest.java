package org.tornadodit.runner.challenge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What memory a comparison of sets says that it takes; what it computes is in {@code EvaluateSetsTest}. */
class SetEvaluationTest {
    private static final int LARGEST = 4096 * 4096 * 3;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    /** Four black pictures, deflated. */
    private Path pictures(int side) throws IOException {
        Path file = folder.resolve(side + ".npz");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            zip.putNextEntry(new ZipEntry("arr_0.npy"));
            String header = "{'descr': '|u1', 'fortran_order': False, 'shape': (4, %d, %d, 3), }".formatted(side, side);
            header += " ".repeat(117 - header.length()) + "\n";
            OutputStream out = zip;
            out.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0});
            out.write(header.getBytes(StandardCharsets.US_ASCII));
            byte[] row = new byte[side * 3];
            for (int i = 0; i < 4 * side; i++) {
                out.write(row);
            }
            zip.closeEntry();
        }
        return file;
    }

    @Test
    void readsSomePicturesForEachThreadWhereTheyFit() {
        assertEquals(64, SetEvaluation.atOnce(16, 256 * 256 * 3));
        assertEquals(21, SetEvaluation.atOnce(16, 1024 * 1024 * 3));
        for (int threads : new int[] {1, 16, 1024}) {
            assertEquals(1, SetEvaluation.atOnce(threads, LARGEST), "an int held no 64 of these");
        }
    }

    @Test
    void countsThePicturesThatAreRead() throws IOException {
        Path small = pictures(8);
        Path large = pictures(4096);
        long least = SetEvaluation.bytes(List.of(small, small), 16);
        long read = LARGEST - 64L * 8 * 8 * 3;
        assertEquals(least + read, SetEvaluation.bytes(List.of(small, large), 16));
        assertEquals(least + read, SetEvaluation.bytes(List.of(large, small), 16), "one file is read at a time");
        assertTrue(least > 64L * 8 * 8 * 3);
    }
}
