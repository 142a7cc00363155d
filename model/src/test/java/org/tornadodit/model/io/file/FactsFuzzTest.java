package org.tornadodit.model.io.file;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;

/** Whatever the bytes of a file of facts: the facts, or one line, within {@link FuzzBounds}. */
class FactsFuzzTest {
    private static final Path FILE = Path.of("manifest.json");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(CheckpointException.class, () -> FactsFile.parse(FILE, content));
    }
}
