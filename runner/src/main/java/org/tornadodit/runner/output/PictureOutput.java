package org.tornadodit.runner.output;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Where pictures go.
 *
 * @param path a file for the grid, {@code -} for stdout, or a folder
 * @param folder whether it is a folder, which takes a file for each picture; it may have to be made
 */
public record PictureOutput(Path path, boolean folder) {

    /** A folder is what ends in a slash, or is one already. */
    public static PictureOutput of(String text) {
        Path path = Path.of(text);
        boolean slash = text.endsWith("/") || text.endsWith(File.separator);
        return new PictureOutput(path, slash || Files.isDirectory(path));
    }

    /** Reads the option. */
    public static final class Converter implements ITypeConverter<PictureOutput> {
        @Override
        public PictureOutput convert(String text) {
            if (text.isEmpty()) {
                throw new TypeConversionException("it is empty, expected FILE.png, FILE.webp or DIR/");
            }
            try {
                return of(text);
            } catch (InvalidPathException e) {
                throw new TypeConversionException("\"%s\" is no path: %s".formatted(text, e.getReason()));
            }
        }
    }

    /** As the user may give it. */
    @Override
    public String toString() {
        return folder && !path.toString().endsWith(File.separator) ? path + File.separator : path.toString();
    }
}
