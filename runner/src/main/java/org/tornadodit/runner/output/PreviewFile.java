package org.tornadodit.runner.output;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.PngText;

/**
 * A picture as it is so far. A text chunk of the PNG tells it from other files of its name: no others are replaced or
 * deleted.
 */
public final class PreviewFile {
    /** Bytes of a PNG's signature and of its first chunk, IHDR. */
    private static final int HEADER = 8 + 12 + 13;

    private static final String KEYWORD = "Comment";
    private static final String TEXT = "preview of tornado-dit";
    private static final byte[] MARK = PngText.chunk(KEYWORD, TEXT);

    private PreviewFile() {}

    /** Writes the picture, in the place of the preview before. */
    public static void write(Path file, BufferedImage picture) throws IOException {
        require(file);
        AtomicFile.write(file, out -> ImageFiles.writePng(picture, Map.of(KEYWORD, TEXT), out));
    }

    /**
     * Passes where there is nothing yet, or a preview, or what is written through.
     *
     * @throws IOException when another file has the name
     */
    public static void require(Path file) throws IOException {
        boolean dangling = Files.isSymbolicLink(file) && !Files.exists(file);
        if (dangling || Files.isRegularFile(file) && !is(file)) {
            throw new IOException("cannot write the preview to " + Printable.path(file)
                    + ": a file of that name is there, and is no preview; give another --output");
        }
    }

    /** Deletes the preview of a picture that is complete, and nothing else that may have its name. */
    public static void delete(Path file) throws IOException {
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && is(file)) {
            Files.deleteIfExists(file);
        }
    }

    private static boolean is(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] start = in.readNBytes(HEADER + MARK.length);
            return start.length == HEADER + MARK.length
                    && Arrays.equals(start, HEADER, start.length, MARK, 0, MARK.length);
        }
    }
}
