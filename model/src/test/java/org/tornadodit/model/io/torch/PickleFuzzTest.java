package org.tornadodit.model.io.torch;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;
import org.tornadodit.model.io.FuzzReading;
import org.tornadodit.model.io.ZipWriter;
import org.tornadodit.model.io.file.CheckpointException;

/** Whatever the bytes of the pickle alone, inside a sound archive: a search rarely gets past a zip directory: values, or one line, within {@link FuzzBounds}. */
class PickleFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(
                CheckpointException.class,
                () -> FuzzReading.readAll(TorchFile.parse(FILE, MemorySegment.ofArray(ZipWriter.torch(content)))));
    }
}
