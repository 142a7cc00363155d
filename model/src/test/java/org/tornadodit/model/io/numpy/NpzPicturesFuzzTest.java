package org.tornadodit.model.io.numpy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;
import org.tornadodit.model.io.file.CheckpointException;

/** Whatever the bytes of an {@code .npz} of pictures: pictures, or one line, within {@link FuzzBounds}. */
class NpzPicturesFuzzTest {
    private static final int SOME = 1 << 20;

    @FuzzTest
    void bounded(byte[] content) throws IOException {
        Path file = Files.createTempFile("fuzz", ".npz");
        try {
            FuzzBounds.check(CheckpointException.class, () -> {
                try {
                    Files.write(file, content);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                read(file);
            });
        } finally {
            Files.delete(file);
        }
    }

    private static void read(Path file) {
        try (NpzPictures pictures = new NpzPictures(file)) {
            pictures.statistics("mu");
            pictures.statistics("sigma");
            if (pictures.hasPictures() && pictures.pictureBytes() <= SOME) {
                byte[] some = new byte[SOME];
                while (pictures.read(some) > 0) {
                    continue;
                }
            }
        }
    }
}
