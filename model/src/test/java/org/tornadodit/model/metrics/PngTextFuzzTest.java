package org.tornadodit.model.metrics;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.Path;

/** The texts of a PNG, see {@link PictureTextBounds}. */
class PngTextFuzzTest {
    private static final Path FILE = Path.of("x.png");

    @FuzzTest
    void bounded(byte[] content) {
        PictureTextBounds.check(FILE, content);
    }
}
