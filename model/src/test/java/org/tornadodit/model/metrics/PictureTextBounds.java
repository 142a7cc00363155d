package org.tornadodit.model.metrics;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;

/** Whatever the bytes of a picture: its texts, or one line, within {@link FuzzBounds}. */
final class PictureTextBounds {
    private PictureTextBounds() {}

    static void check(Path file, byte[] content) {
        FuzzBounds.check(Refused.class, () -> {
            try {
                PictureTexts.parse(file, content);
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
