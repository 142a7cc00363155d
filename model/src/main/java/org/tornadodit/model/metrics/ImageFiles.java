package org.tornadodit.model.metrics;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.tornadodit.model.JavaHeap;
import org.tornadodit.model.Printable;

/**
 * Reads PNG and JPEG as PIL's {@code Image.open(path).convert("RGB")} does: levels as stored, colour profiles and gamma
 * ignored; palettes looked up; grey repeated; alpha dropped; the first picture of an animated PNG. Refused: other
 * formats (GIF, WebP, BMP, TIFF), 16 bits a channel, CMYK, more than {@link RgbImage#MAX_PIXELS}.
 *
 * <p>JPEGs that others made are best read with G1 or ZGC: the JDK's native reader allocates messages within a critical
 * region, and Serial and Parallel collections wait for its end. With them, about one damaged file in a million blocks its
 * thread, and every collection, for ever.
 */
public final class ImageFiles {

    private static final Set<String> FORMATS = Set.of("png", "jpeg");

    private ImageFiles() {}

    /** As decoded, with alpha, and as levels. */
    private static final int HEAP_BYTES_PER_PIXEL = 4 + RgbImage.CHANNELS;

    /**
     * An image's size, and what reading it takes.
     *
     * @param width pixels
     * @param height pixels
     * @param jpeg whether it is a JPEG, else a PNG
     * @param fileBytes of the file
     */
    public record Size(int width, int height, boolean jpeg, long fileBytes) {

        /** Heap that {@link ImageFiles#read} takes at most, the image it returns included. */
        public long heapBytes() {
            long decoded = HEAP_BYTES_PER_PIXEL * pixels();
            return decoded + (jpeg ? 0 : Math.min(fileBytes, decoded)); // a PNG's compressed rows
        }

        /** Number of pixels. */
        public long pixels() {
            return (long) width * height;
        }
    }

    /**
     * Reads one image.
     *
     * @throws ImageFileException when there is no such file, or it is not an image of a kind named above, or damaged:
     *     truncated, with a checksum that is wrong, or with data that a decoder could only guess at; or when Java's heap
     *     is too small for it, or it would take minutes to decode
     */
    public static RgbImage read(Path path) throws ImageFileException {
        requireFile(path);
        return reading(path, () -> {
            ImageInput.Source file = ImageInput.Source.of(path);
            requireHeap(path, size(path, file));
            return read(path, file);
        });
    }

    /**
     * Reads an image's size from its header.
     *
     * @throws ImageFileException as {@link #read(Path)}, as far as the header shows it
     */
    public static Size size(Path path) throws ImageFileException {
        requireFile(path);
        return reading(path, () -> size(path, ImageInput.Source.of(path)));
    }

    /** An image in memory, or what {@link #read(Path)} throws. */
    static RgbImage parse(Path path, byte[] content) throws ImageFileException {
        return reading(path, () -> read(path, ImageInput.Source.of(content)));
    }

    /** The size of an image in memory, or what {@link #size(Path)} throws. */
    static Size size(Path path, byte[] content) throws ImageFileException {
        return reading(path, () -> size(path, ImageInput.Source.of(content)));
    }

    private static void requireFile(Path path) throws ImageFileException {
        if (!Files.exists(path)) {
            throw new ImageFileException(Printable.path(path) + ": no such file");
        }
        if (!Files.isRegularFile(path)) {
            throw new ImageFileException(Printable.path(path) + ": not a file; expected a PNG or JPEG image");
        }
    }

    private interface Reading<T> {
        T read() throws IOException;
    }

    private static <T> T reading(Path path, Reading<T> reading) throws ImageFileException {
        try {
            return reading.read();
        } catch (ImageFileException e) {
            throw e;
        } catch (FileSystemException e) {
            throw new ImageFileException("%s: cannot be read: %s".formatted(Printable.path(path), reason(e)), e);
        } catch (IOException | RuntimeException e) {
            // Readers throw unchecked exceptions too on damaged files.
            throw new ImageFileException("%s: damaged image: %s".formatted(Printable.path(path), reason(e)), e);
        }
    }

    private static String reason(Exception e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof EOFException) {
                return "it is truncated";
            }
        }
        return firstLine(e);
    }

    private static void requireHeap(Path path, Size size) throws ImageFileException {
        if (!JavaHeap.holds(size.heapBytes())) {
            throw new ImageFileException("%s: reading %d x %d pixels takes %s"
                    .formatted(Printable.path(path), size.width(), size.height(), JavaHeap.shortage(size.heapBytes())));
        }
    }

    /** What every PNG begins with. */
    public static byte[] pngSignature() {
        return ByteBuffer.allocate(Long.BYTES).putLong(PngChunks.SIGNATURE).array();
    }

    /** Writes a PNG of 8-bit RGB. */
    public static void writePng(RgbImage image, OutputStream out) throws IOException {
        BufferedImage picture = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        int[] row = new int[image.width()];
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < row.length; x++) {
                row[x] = image.level(x, y, 0) << 16 | image.level(x, y, 1) << 8 | image.level(x, y, 2);
            }
            picture.setRGB(0, y, row.length, 1, row, 0, row.length);
        }
        writePng(picture, out);
    }

    /** Writes a PNG, without the temporary file that ImageIO would put between. */
    public static void writePng(BufferedImage picture, OutputStream out) throws IOException {
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            if (!ImageIO.write(picture, "png", stream)) {
                throw new IOException("no PNG writer in this JDK");
            }
        }
    }

    /** Writes a PNG with texts, see {@link PngText}. */
    public static void writePng(BufferedImage picture, Map<String, String> texts, OutputStream out) throws IOException {
        try (OutputStream withTexts = PngText.behindHeader(out, texts)) {
            writePng(picture, withTexts);
        }
    }

    private static ImageReader reader(Path path, ImageInputStream in) throws IOException {
        for (Iterator<ImageReader> readers = ImageIO.getImageReaders(in); readers.hasNext(); ) {
            ImageReader reader = readers.next();
            if (FORMATS.contains(reader.getFormatName().toLowerCase(Locale.ROOT))) {
                return reader;
            }
            String format = reader.getFormatName();
            reader.dispose();
            throw new ImageFileException("%s: found %s, expected a PNG or JPEG image"
                    .formatted(Printable.path(path), format.toUpperCase(Locale.ROOT)));
        }
        throw new ImageFileException(Printable.path(path) + ": neither a PNG nor a JPEG image");
    }

    private static Size size(Path path, ImageInput.Source file) throws IOException {
        try (ImageInputStream in = file.openForImageIO()) {
            ImageReader reader = reader(path, in);
            try {
                reader.setInput(in, true, true);
                int width = reader.getWidth(0);
                int height = reader.getHeight(0);
                if (width < 1 || height < 1 || (long) width * height > RgbImage.MAX_PIXELS) {
                    throw new ImageFileException("%s: %d x %d pixels, expected 1 to %d in all"
                            .formatted(Printable.path(path), width, height, RgbImage.MAX_PIXELS));
                }
                boolean jpeg = reader.getFormatName().equalsIgnoreCase("jpeg");
                return new Size(width, height, jpeg, file.length());
            } finally {
                reader.dispose();
            }
        }
    }

    private static RgbImage read(Path path, ImageInput.Source file) throws IOException {
        Size size = size(path, file);
        ImageInput.Source checked = file;
        if (size.jpeg()) {
            JpegScans.check(file);
        } else {
            checked = PngChunks.check(file);
        }
        try (ImageInputStream in = checked.openForImageIO()) {
            ImageReader reader = reader(path, in);
            try {
                reader.setInput(in, true, true);
                return decode(path, reader, size);
            } finally {
                reader.dispose();
            }
        }
    }

    private static RgbImage decode(Path path, ImageReader reader, Size size) throws IOException {
        int bits = reader.getImageTypes(0).hasNext()
                ? reader.getImageTypes(0).next().getSampleModel().getSampleSize(0)
                : 8;
        if (bits > 8) {
            throw new ImageFileException("%s: %d bits a channel, expected 8".formatted(Printable.path(path), bits));
        }
        reader.addIIOReadWarningListener((source, warning) -> {
            if (meansGuessing(warning)) {
                throw new IllegalStateException(warning); // ends the decoding
            }
        });
        BufferedImage picture = reader.read(0);
        if (picture.getRaster().getNumBands() == 4 && size.jpeg()) {
            throw new ImageFileException(Printable.path(path) + ": a CMYK image, expected RGB or grey");
        }
        byte[] levels = new byte[Math.toIntExact(size.pixels() * RgbImage.CHANNELS)];
        copyLevels(path, picture.getRaster(), picture.getColorModel(), levels);
        return new RgbImage(size.width(), size.height(), levels);
    }

    /** Of libjpeg's warnings those after which it makes up pixels. */
    private static boolean meansGuessing(String warning) {
        return !warning.contains("ICC")
                && (warning.startsWith("Corrupt JPEG data")
                        || warning.startsWith("Premature end")
                        || warning.startsWith("Inconsistent progression"));
    }

    /** From the raster, because {@code getRGB} would convert grey and profiles to sRGB. */
    private static void copyLevels(Path path, Raster raster, ColorModel colors, byte[] levels) throws IOException {
        int width = raster.getWidth();
        int bands = raster.getNumBands();
        if (bands > 4 || bands < 1) {
            throw new ImageFileException("%s: %d channels, expected 1 to 4".formatted(Printable.path(path), bands));
        }
        int[] row = new int[width * bands];
        int at = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(0, y, width, 1, row);
            for (int x = 0; x < width; x++) {
                int pixel = x * bands;
                if (colors instanceof IndexColorModel palette) {
                    levels[at++] = (byte) palette.getRed(row[pixel]);
                    levels[at++] = (byte) palette.getGreen(row[pixel]);
                    levels[at++] = (byte) palette.getBlue(row[pixel]);
                } else if (bands < RgbImage.CHANNELS) {
                    levels[at++] = (byte) row[pixel];
                    levels[at++] = (byte) row[pixel];
                    levels[at++] = (byte) row[pixel];
                } else {
                    levels[at++] = (byte) row[pixel];
                    levels[at++] = (byte) row[pixel + 1];
                    levels[at++] = (byte) row[pixel + 2];
                }
            }
        }
    }

    private static String firstLine(Throwable e) {
        String message = e.getMessage();
        return message == null || message.isBlank()
                ? e.getClass().getSimpleName()
                : Printable.text(message.lines().findFirst().orElse(""));
    }
}
