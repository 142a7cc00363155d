package org.tornadodit.model.metrics;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.FileImageInputStream;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Reads PNG and JPEG as PIL's {@code Image.open(path).convert("RGB")} does: levels as stored, colour profiles and gamma
 * ignored; palettes looked up; grey repeated; alpha dropped; the first picture of an animated PNG. Refused: other
 * formats (GIF, WebP, BMP, TIFF), 16 bits a channel, CMYK, more than {@link RgbImage#MAX_PIXELS}.
 */
public final class ImageFiles {

    private static final Set<String> FORMATS = Set.of("png", "jpeg");

    private ImageFiles() {}

    /**
     * Reads one image.
     *
     * @throws ImageFileException when there is no such file, or it is not an image of a kind named above
     */
    public static RgbImage read(Path path) throws ImageFileException {
        if (!Files.exists(path)) {
            throw new ImageFileException(path + ": no such file");
        }
        if (!Files.isRegularFile(path)) {
            throw new ImageFileException(path + ": not a file; expected a PNG or JPEG image");
        }
        try (ImageInputStream in = new FileImageInputStream(path.toFile())) {
            ImageReader reader = reader(path, in);
            try {
                reader.setInput(in, true, true);
                return read(path, reader);
            } finally {
                reader.dispose();
            }
        } catch (ImageFileException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // Readers throw unchecked exceptions too on damaged files.
            throw new ImageFileException("%s: damaged image: %s".formatted(path, firstLine(e)), e);
        }
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

    private static ImageReader reader(Path path, ImageInputStream in) throws IOException {
        for (Iterator<ImageReader> readers = ImageIO.getImageReaders(in); readers.hasNext(); ) {
            ImageReader reader = readers.next();
            if (FORMATS.contains(reader.getFormatName().toLowerCase(Locale.ROOT))) {
                return reader;
            }
            String format = reader.getFormatName();
            reader.dispose();
            throw new ImageFileException(
                    "%s: found %s, expected a PNG or JPEG image".formatted(path, format.toUpperCase(Locale.ROOT)));
        }
        throw new ImageFileException(path + ": neither a PNG nor a JPEG image");
    }

    private static RgbImage read(Path path, ImageReader reader) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        if (width < 1 || height < 1 || (long) width * height > RgbImage.MAX_PIXELS) {
            throw new ImageFileException(
                    "%s: %d x %d pixels, expected 1 to %d in all".formatted(path, width, height, RgbImage.MAX_PIXELS));
        }
        int bits = reader.getImageTypes(0).hasNext()
                ? reader.getImageTypes(0).next().getSampleModel().getSampleSize(0)
                : 8;
        if (bits > 8) {
            throw new ImageFileException("%s: %d bits a channel, expected 8".formatted(path, bits));
        }
        BufferedImage picture = reader.read(0);
        if (picture.getRaster().getNumBands() == 4 && isJpeg(reader)) {
            throw new ImageFileException(path + ": a CMYK image, expected RGB or grey");
        }
        byte[] levels = new byte[width * height * RgbImage.CHANNELS];
        copyLevels(path, picture.getRaster(), picture.getColorModel(), levels);
        return new RgbImage(width, height, levels);
    }

    private static boolean isJpeg(ImageReader reader) throws IOException {
        return reader.getFormatName().equalsIgnoreCase("jpeg");
    }

    /** From the raster, because {@code getRGB} would convert grey and profiles to sRGB. */
    private static void copyLevels(Path path, Raster raster, ColorModel colors, byte[] levels) throws IOException {
        int width = raster.getWidth();
        int bands = raster.getNumBands();
        if (bands > 4 || bands < 1) {
            throw new ImageFileException("%s: %d channels, expected 1 to 4".formatted(path, bands));
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
                : message.lines().findFirst().orElse("");
    }
}
