package org.tornadodit.model.io;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.JsonConfig;

/** Whatever the bytes of a DiT's {@code config.json}: values, or one line, within {@link FuzzBounds}. */
class DitConfigFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(
                CheckpointException.class,
                () -> DitConfig.fromJson(JsonConfig.parse(FILE, content)).parameters());
    }
}
