package org.tornadodit.model.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFilesTest {

    @TempDir
    private Path folder;

    @Test
    void readsWhatItWrites() throws IOException {
        RgbImage image = ImageMetricsTest.random(37, 23, 5);
        Path file = folder.resolve("rgb.png");
        try (OutputStream out = Files.newOutputStream(file)) {
            ImageFiles.writePng(image, out);
        }
        assertEquals(image, ImageFiles.read(file));
    }

    @Test
    void dropsAlpha() throws IOException {
        BufferedImage picture = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
        picture.setRGB(0, 0, 0x00102030);
        picture.setRGB(1, 0, 0x80FF0001);
        assertArrayEquals(new byte[] {0x10, 0x20, 0x30, (byte) 0xFF, 0, 1}, levels(picture));
    }

    /** Not through a colour space: PIL repeats the stored level. */
    @Test
    void repeatsGrey() throws IOException {
        BufferedImage picture = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_GRAY);
        picture.getRaster().setSample(0, 0, 0, 100);
        picture.getRaster().setSample(1, 0, 0, 7);
        assertArrayEquals(new byte[] {100, 100, 100, 7, 7, 7}, levels(picture));
    }

    @Test
    void looksUpPalettes() throws IOException {
        byte[] red = {9, 1};
        byte[] green = {8, 2};
        byte[] blue = {7, 3};
        BufferedImage picture =
                new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY, new IndexColorModel(1, 2, red, green, blue));
        picture.getRaster().setSample(0, 0, 0, 1);
        assertArrayEquals(new byte[] {1, 2, 3, 9, 8, 7}, levels(picture));
    }

    /** Four levels of a 2-bit grey PNG are 0, 85, 170 and 255. */
    @Test
    void stretchesGreyOfFewBits() throws IOException {
        Path file = folder.resolve("grey2.png");
        Files.write(file, png(4, 1, 2, 0, new byte[] {0, 0b00011011}));
        RgbImage image = ImageFiles.read(file);
        assertArrayEquals(
                new int[] {0, 85, 170, 255},
                new int[] {image.level(0), image.level(3), image.level(6), image.level(9)});
    }

    @Test
    void readsJpeg() throws IOException {
        BufferedImage picture = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 256; i++) {
            picture.setRGB(i % 16, i / 16, 0x406080);
        }
        Path file = folder.resolve("flat.jpg");
        ImageIO.write(picture, "jpg", file.toFile());
        RgbImage image = ImageFiles.read(file);
        assertEquals(0x40, image.level(0), 2);
        assertEquals(0x60, image.level(1), 2);
        assertEquals(0x80, image.level(2), 2);
    }

    /** Files written by Pillow, and what it reads of them: 4:2:0, progressive, grey, palette, grey with alpha, bits. */
    @ParameterizedTest
    @ValueSource(
            strings = {"subsampled.jpg", "progressive.jpg", "grey.jpg", "palette.png", "grey-alpha.png", "bits.png"})
    void readsWhatPillowReads(String name) throws Exception {
        assertEquals(
                ImageFiles.read(resource(name.substring(0, name.indexOf('.')) + ".rgb.png")),
                ImageFiles.read(resource(name)));
    }

    @Test
    void refusesCmyk() throws Exception {
        Path file = resource("cmyk.jpg");
        assertEquals(file + ": a CMYK image, expected RGB or grey", message(file));
    }

    @Test
    void takesTheFirstPictureOfAnAnimatedPng() throws IOException {
        byte[] animated = new PngWriter()
                .header(1, 1, 8, 0)
                .chunk("acTL", new byte[] {0, 0, 0, 2, 0, 0, 0, 0})
                .chunk("IDAT", PngWriter.deflated(new byte[] {0, 42}))
                .chunk("IEND", new byte[0])
                .bytes();
        Path file = folder.resolve("animated.png");
        Files.write(file, animated);
        assertEquals(42, ImageFiles.read(file).level(0));
    }

    @Test
    void refusesSixteenBits() throws IOException {
        Path file = folder.resolve("deep.png");
        ImageIO.write(new BufferedImage(2, 2, BufferedImage.TYPE_USHORT_GRAY), "png", file.toFile());
        assertEquals(file + ": 16 bits a channel, expected 8", message(file));
    }

    @Test
    void refusesHugeImagesBeforeItTakesMemory() throws IOException {
        Path file = folder.resolve("bomb.png");
        Files.write(file, png(60_000, 60_000, 8, 2, new byte[] {0}));
        assertEquals(file + ": 60000 x 60000 pixels, expected 1 to 67108864 in all", message(file));
    }

    @Test
    void refusesOtherFormats() throws IOException {
        Path gif = folder.resolve("a.gif");
        ImageIO.write(new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB), "gif", gif.toFile());
        assertEquals(gif + ": found GIF, expected a PNG or JPEG image", message(gif));
        Path text = folder.resolve("a.png");
        Files.writeString(text, "not an image");
        assertEquals(text + ": neither a PNG nor a JPEG image", message(text));
        Path empty = Files.createFile(folder.resolve("empty.png"));
        assertEquals(empty + ": neither a PNG nor a JPEG image", message(empty));
        assertEquals(folder + ": not a file; expected a PNG or JPEG image", message(folder));
        Path none = folder.resolve("none.png");
        assertEquals(none + ": no such file", message(none));
    }

    @Test
    void refusesTruncatedImages() throws IOException {
        Path whole = folder.resolve("whole.png");
        try (OutputStream out = Files.newOutputStream(whole)) {
            ImageFiles.writePng(ImageMetricsTest.random(64, 64, 1), out);
        }
        byte[] bytes = Files.readAllBytes(whole);
        for (int length : new int[] {20, 40, 5000}) {
            Path file = folder.resolve("cut" + length + ".png");
            Files.write(file, Arrays.copyOf(bytes, length));
            String message = message(file);
            assertTrue(message.startsWith(file + ": damaged image: "), message);
            assertEquals(1, message.lines().count(), message);
        }
    }

    private static Path resource(String name) throws URISyntaxException {
        return Path.of(Objects.requireNonNull(ImageFilesTest.class.getResource("/images/" + name))
                .toURI());
    }

    private byte[] levels(BufferedImage picture) throws IOException {
        Path file = folder.resolve("picture.png");
        ImageIO.write(picture, "png", file.toFile());
        return ImageFiles.read(file).levels();
    }

    private static String message(Path file) {
        return String.valueOf(assertThrows(ImageFileException.class, () -> ImageFiles.read(file))
                .getMessage());
    }

    /** A PNG by hand: colour type 0 grey, 2 RGB. */
    private static byte[] png(int width, int height, int bits, int type, byte[] rows) {
        return new PngWriter()
                .header(width, height, bits, type)
                .chunk("IDAT", PngWriter.deflated(rows))
                .chunk("IEND", new byte[0])
                .bytes();
    }
}
