package org.tornadodit.model.io.file;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;
import org.tornadodit.model.Shape;

/** Whatever the bytes of a state: values, or one line, within {@link FuzzBounds}. */
class StateFileFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(CheckpointException.class, () -> read(content, 1));
        FuzzBounds.check(CheckpointException.class, () -> read(content, 2));
    }

    private static void read(byte[] content, int arrays) {
        try {
            StateFile.read(FILE, new ByteArrayInputStream(content), facts -> {}, Shape.of(1, 2), arrays);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
