package org.tornadodit.model.metrics;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;

/** Whatever the bytes of a PNG: its texts, or one line, within {@link FuzzBounds}. */
class PngTextFuzzTest {
    private static final Path FILE = Path.of("x.png");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(Refused.class, () -> {
            try {
                PictureTexts.parse(FILE, content);
            } catch (ImageFileException e) {
                throw new Refused(e);
            }
        });
    }

    private static final class Refused extends UncheckedIOException {
        private static final long serialVersionUID = 1L;

        Refused(ImageFileException cause) {
            super(cause.getMessage(), cause);
        }
    }
}
