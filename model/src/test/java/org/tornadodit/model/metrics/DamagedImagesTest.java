package org.tornadodit.model.metrics;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that a lenient decoder would make a picture of, though it is not the one that was stored. */
class DamagedImagesTest {

    private static final Path FILE = Path.of("picture");
    private static final String DAMAGED = FILE + ": damaged image: ";

    /** A part of a PNG: its name and content; a flag makes its checksum wrong. */
    @SuppressWarnings("ArrayRecordComponent")
    private record Chunk(String type, byte[] content, boolean wrong) {
        Chunk(String type, byte[] content) {
            this(type, content, false);
        }
    }

    @Test
    void readsTheChunksThatTheOthersAreMadeOf() throws IOException {
        assertEquals(7, ImageFiles.parse(FILE, png(chunks())).level(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"IHDR", "tEXt", "IDAT", "IEND"})
    void refusesAChunkWhoseChecksumIsWrong(String type) {
        refusesPng(
                "the checksum of its chunk " + type + " is wrong",
                chunks -> chunks.stream()
                        .map(chunk -> new Chunk(chunk.type, chunk.content, chunk.type.equals(type)))
                        .toList());
    }

    @Test
    void refusesRowsWhoseChecksumIsWrong() {
        byte[] damaged = PngWriter.deflated(rows(4));
        damaged[damaged.length - 1] ^= 1;
        refusesPng("its compressed rows: incorrect data check", withData(damaged));
        byte[] cut = Arrays.copyOf(PngWriter.deflated(rows(4)), PngWriter.deflated(rows(4)).length - 2);
        refusesPng("the checksum of its rows is missing", withData(cut));
    }

    @Test
    void refusesTooFewAndTooManyRows() {
        refusesPng("it has 39 of the 52 bytes of its rows", withData(PngWriter.deflated(rows(3))));
        refusesPng("it has more than the 52 bytes of its rows", withData(PngWriter.deflated(rows(5))));
        refusesPng("it has 0 of the 52 bytes of its rows", chunks -> without(chunks, "IDAT"));
    }

    @Test
    void refusesDataInTwoPlaces() {
        byte[] data = PngWriter.deflated(rows(4));
        refusesPng("its IDAT chunks do not follow one another", chunks -> {
            List<Chunk> apart = new ArrayList<>(without(chunks, "IDAT"));
            apart.add(1, new Chunk("IDAT", Arrays.copyOf(data, 5)));
            apart.add(3, new Chunk("IDAT", Arrays.copyOfRange(data, 5, data.length)));
            return apart;
        });
    }

    @Test
    void refusesAPngWithoutItsEnd() {
        refusesPng("it is truncated", chunks -> without(chunks, "IEND"));
        byte[] whole = png(chunks());
        for (int length = 41; length < whole.length; length++) {
            assertEquals(DAMAGED + "it is truncated", message(Arrays.copyOf(whole, length)), "at " + length);
        }
    }

    /** Their pixels are whole: Pillow reads them too. */
    @Test
    void readsWhatIsFollowedByOtherBytes() throws IOException {
        byte[] png = png(chunks());
        assertEquals(ImageFiles.parse(FILE, png), ImageFiles.parse(FILE, Arrays.copyOf(png, png.length + 10)));
        byte[] jpeg = resource("subsampled.jpg");
        assertEquals(ImageFiles.parse(FILE, jpeg), ImageFiles.parse(FILE, Arrays.copyOf(jpeg, jpeg.length + 10)));
    }

    /** Of every size some passes are empty. */
    @Test
    void readsInterlacedPng() throws IOException {
        for (int width = 1; width <= 9; width++) {
            for (int height = 1; height <= 9; height++) {
                RgbImage image = ImageMetricsTest.random(width, height, width);
                assertEquals(image, ImageFiles.parse(FILE, interlaced(image)), width + " x " + height);
            }
        }
    }

    /** 1 MB of them would unfold to 900 MB of text that nobody wants. */
    @Test
    void doesNotUnfoldTexts() throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        text.writeBytes("Comment\0\0".getBytes(StandardCharsets.US_ASCII));
        text.writeBytes(PngWriter.deflated(new byte[1 << 20]));
        List<Chunk> chunks = new ArrayList<>(List.of(new Chunk("IHDR", PngWriter.headerOf(4, 4, 8, 3, 0))));
        chunks.add(new Chunk("PLTE", new byte[] {1, 2, 3}));
        for (int i = 0; i < 12_000; i++) {
            chunks.add(new Chunk("zTXt", text.toByteArray()));
        }
        chunks.add(new Chunk("IDAT", PngWriter.deflated(new byte[20])));
        chunks.add(new Chunk("IEND", new byte[0]));
        byte[] png = png(chunks);
        assertTimeoutPreemptively(
                Duration.ofSeconds(60),
                () -> assertEquals(2, ImageFiles.parse(FILE, png).level(1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"subsampled.jpg", "progressive.jpg", "grey.jpg"})
    void refusesJpegThatIsTruncatedAnywhere(String name) throws IOException {
        byte[] whole = resource(name);
        for (int length = 4; length < whole.length; length += 7) {
            String message = message(Arrays.copyOf(whole, length));
            assertTrue(message.startsWith(DAMAGED), message);
        }
        assertEquals(DAMAGED + "it is truncated", message(Arrays.copyOf(whole, whole.length - 2)), "without EOI");
    }

    /** A picture whose data end before it does, though its end is marked: libjpeg makes the rest grey. */
    @Test
    void refusesJpegWhoseDataEndEarly() throws IOException {
        byte[] whole = resource("grey.jpg");
        byte[] cut = Arrays.copyOf(whole, whole.length / 2 + 100);
        cut[cut.length - 2] = (byte) 0xFF;
        cut[cut.length - 1] = (byte) 0xD9;
        String message = message(cut);
        assertTrue(message.startsWith(DAMAGED + "Corrupt JPEG data"), message);
    }

    @Test
    void refusesThousandsOfScans() throws IOException {
        byte[] whole = resource("progressive.jpg");
        int last = whole.length;
        while (whole[last - 2] != (byte) 0xFF || whole[last - 1] != (byte) 0xDA) {
            last--;
        }
        byte[] scan = Arrays.copyOfRange(whole, last - 2, whole.length - 2);
        ByteArrayOutputStream many = new ByteArrayOutputStream();
        many.write(whole, 0, last - 2);
        for (int i = 0; i < 20_000; i++) {
            many.writeBytes(scan);
        }
        many.write(whole, whole.length - 2, 2);
        assertTimeoutPreemptively(
                Duration.ofSeconds(60),
                () -> assertEquals(
                        DAMAGED + "it has more than 100 scans, expected at most 100", message(many.toByteArray())));
    }

    /** Fewer scans of a larger picture: a size written over the file's own is enough, for its data is never decoded. */
    @Test
    void countsTheWorkOfScans() throws IOException {
        byte[] whole = resource("progressive.jpg");
        assertDoesNotThrow(() -> ImageFiles.parse(FILE, whole));
        ByteBuffer bytes = ByteBuffer.wrap(whole);
        int frame = 2;
        while (bytes.getShort(frame) != (short) 0xFFC2) {
            frame += 2 + (bytes.getShort(frame + 2) & 0xFFFF);
        }
        bytes.putShort(frame + 5, (short) 8192).putShort(frame + 7, (short) 8192);
        int end = whole.length - 2;
        ByteArrayOutputStream many = new ByteArrayOutputStream();
        many.write(whole, 0, end);
        for (int i = 0; i < 60; i++) {
            many.writeBytes(new byte[] {(byte) 0xFF, (byte) 0xDA, 0, 8, 1, 1, 0, 1, 63, 0});
        }
        many.write(whole, end, 2);
        String message = message(many.toByteArray());
        assertTrue(message.contains(" scans, expected at most 100, fewer of a picture of this size"), message);
    }

    private static void refusesPng(String reason, UnaryOperator<List<Chunk>> change) {
        assertEquals(DAMAGED + reason, message(png(change.apply(chunks()))));
    }

    private static String message(byte[] content) {
        return String.valueOf(assertThrows(ImageFileException.class, () -> ImageFiles.parse(FILE, content))
                .getMessage());
    }

    /** A picture of 4 x 4 pixels. */
    private static List<Chunk> chunks() {
        return List.of(
                new Chunk("IHDR", PngWriter.headerOf(4, 4, 8, 2, 0)),
                new Chunk("tEXt", "Comment\0of no matter".getBytes(StandardCharsets.US_ASCII)),
                new Chunk("IDAT", PngWriter.deflated(rows(4))),
                new Chunk("IEND", new byte[0]));
    }

    /** Rows of four RGB pixels. */
    private static byte[] rows(int count) {
        byte[] rows = new byte[13 * count];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = (byte) (i % 13 == 0 ? 0 : 6 + i);
        }
        return rows;
    }

    private static UnaryOperator<List<Chunk>> withData(byte[] data) {
        return chunks -> chunks.stream()
                .map(chunk -> chunk.type.equals("IDAT") ? new Chunk("IDAT", data) : chunk)
                .toList();
    }

    private static List<Chunk> without(List<Chunk> chunks, String type) {
        return chunks.stream().filter(chunk -> !chunk.type.equals(type)).toList();
    }

    private static byte[] png(List<Chunk> chunks) {
        PngWriter png = new PngWriter();
        chunks.forEach(chunk -> png.chunk(chunk.type, chunk.content, chunk.wrong ? 1 : 0));
        return png.bytes();
    }

    private static byte[] interlaced(RgbImage image) throws IOException {
        BufferedImage picture = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < image.width() * image.height(); i++) {
            int rgb = image.level(3 * i) << 16 | image.level(3 * i + 1) << 8 | image.level(3 * i + 2);
            picture.setRGB(i % image.width(), i / image.width(), rgb);
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        ImageWriteParam options = writer.getDefaultWriteParam();
        options.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.write(null, new IIOImage(picture, null, null), options);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    private static byte[] resource(String name) throws IOException {
        try (var in = Objects.requireNonNull(DamagedImagesTest.class.getResourceAsStream("/images/" + name))) {
            return in.readAllBytes();
        }
    }
}
