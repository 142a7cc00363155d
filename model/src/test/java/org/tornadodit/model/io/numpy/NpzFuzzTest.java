package org.tornadodit.model.io.numpy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;
import org.tornadodit.model.io.file.CheckpointException;

/** Whatever the bytes of a {@code .npz}: values, or one line, within {@link FuzzBounds}. */
class NpzFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(
                CheckpointException.class,
                () -> NpzFile.parse(FILE, MemorySegment.ofArray(content))
                        .values()
                        .forEach(NpyArray::doubles));
    }
}
