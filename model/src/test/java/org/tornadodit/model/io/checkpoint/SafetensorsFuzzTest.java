package org.tornadodit.model.io.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;
import org.tornadodit.model.io.FuzzReading;
import org.tornadodit.model.io.file.CheckpointException;

/** Whatever the bytes of a {@code .safetensors}: values, or one line, within {@link FuzzBounds}. */
class SafetensorsFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(
                CheckpointException.class,
                () -> FuzzReading.readAll(SafetensorsFile.parse(FILE, MemorySegment.ofArray(content))));
    }
}
