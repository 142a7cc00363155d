package org.tornadodit.model.dit;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;
import org.tornadodit.model.io.file.CheckpointException;

/** Whatever the bytes of a model's {@code labels.json}: names, or one line, within {@link FuzzBounds}. */
class ClassNamesFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(CheckpointException.class, () -> ClassNames.parse(FILE, content));
    }
}
