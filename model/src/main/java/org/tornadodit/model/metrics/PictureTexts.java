package org.tornadodit.model.metrics;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.IIOException;
import org.tornadodit.model.Printable;

/** Texts of pictures, by keyword: {@link PngText} and {@link WebpText}. Pixels are not looked at. */
public final class PictureTexts {
    /** The first and the third four bytes of a WebP. */
    private static final int RIFF = 0x52494646;
    private static final int WEBP = 0x57454250;

    private PictureTexts() {}

    /**
     * The texts of a PNG or WebP file. Characters are as the file has them: they are somebody's, not to be printed as they are.
     *
     * @throws ImageFileException when there is no such file, or it is neither, or damaged as far as texts are concerned, or has
     *     more or longer texts than anybody writes
     */
    public static Map<String, String> read(Path path) throws ImageFileException {
        if (!Files.isRegularFile(path)) {
            throw new ImageFileException(Printable.path(path)
                    + (Files.exists(path) ? ": not a file; expected a PNG or WebP image" : ": no such file"));
        }
        return read(path, ImageInput.Source.of(path));
    }

    /** A file's content, or what {@link #read(Path)} throws. */
    static Map<String, String> parse(Path path, byte[] content) throws ImageFileException {
        return read(path, ImageInput.Source.of(content));
    }

    private static Map<String, String> read(Path path, ImageInput.Source file) throws ImageFileException {
        try (ImageInput in = file.open()) {
            int first = in.readInt();
            int second = in.readInt();
            if (first == (int) (PngChunks.SIGNATURE >>> Integer.SIZE) && second == (int) PngChunks.SIGNATURE) {
                return PngText.read(in);
            }
            if (first == RIFF && in.readInt() == WEBP) {
                return WebpText.read(in);
            }
            throw new IIOException("no PNG or WebP image; other formats hold no text of ours");
        } catch (EOFException e) {
            throw new ImageFileException(Printable.path(path) + ": damaged image: it is truncated", e);
        } catch (IIOException e) {
            throw new ImageFileException(
                    "%s: %s".formatted(Printable.path(path), Printable.text(String.valueOf(e.getMessage()))), e);
        } catch (FileSystemException e) {
            throw new ImageFileException(
                    "%s: cannot be read: %s"
                            .formatted(Printable.path(path), Printable.text(String.valueOf(e.getReason()))),
                    e);
        } catch (IOException e) {
            throw new ImageFileException(
                    "%s: cannot be read: %s"
                            .formatted(Printable.path(path), Printable.text(String.valueOf(e.getMessage()))),
                    e);
        }
    }
}
