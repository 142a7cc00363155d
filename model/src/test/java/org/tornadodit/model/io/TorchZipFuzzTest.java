package org.tornadodit.model.io;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;

/** Whatever the bytes of PyTorch's zip: values, or one line, within {@link FuzzBounds}. */
class TorchZipFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(
                CheckpointException.class,
                () -> FuzzReading.readAll(TorchFile.parse(FILE, MemorySegment.ofArray(content))));
    }
}
