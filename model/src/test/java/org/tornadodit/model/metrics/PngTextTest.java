package org.tornadodit.model.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.NodeList;

class PngTextTest {
    private static final Path FILE = Path.of("x.png");
    private static final RgbImage IMAGE = ImageMetricsTest.random(8, 8, 1);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    private static byte[] png(Map<String, String> texts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = PngText.behindHeader(bytes, texts)) {
            ImageFiles.writePng(IMAGE, out);
        }
        return bytes.toByteArray();
    }

    /** The picture as it was, and texts that Java's own reader finds too. */
    @Test
    void keepsTextsAndThePicture() throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("Software", "tornado-dit");
        texts.put("Description", "café");
        texts.put("tornado-dit", "{\"classes\": \"狐\"}\nand a line");
        Path file = Files.write(folder.resolve("a.png"), png(texts));
        assertEquals(texts, PictureTexts.read(file));
        assertEquals(
                List.copyOf(texts.keySet()), List.copyOf(PictureTexts.read(file).keySet()), "in their order");
        assertEquals(IMAGE, ImageFiles.read(file));
        assertEquals(Map.of(), PictureTexts.parse(FILE, png(Map.of())));
        List<String> found = new ArrayList<>();
        try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
            ImageReader reader = ImageIO.getImageReaders(in).next();
            reader.setInput(in);
            IIOMetadataNode root = (IIOMetadataNode) reader.getImageMetadata(0).getAsTree("javax_imageio_png_1.0");
            for (String kind : List.of("tEXtEntry", "iTXtEntry")) {
                NodeList entries = root.getElementsByTagName(kind);
                for (int i = 0; i < entries.getLength(); i++) {
                    IIOMetadataNode entry = (IIOMetadataNode) entries.item(i);
                    String text = entry.getAttribute(kind.equals("tEXtEntry") ? "value" : "text");
                    assertEquals(texts.get(entry.getAttribute("keyword")), text);
                    found.add(entry.getAttribute("keyword"));
                }
            }
            reader.dispose();
        }
        assertEquals(List.of("Software", "Description", "tornado-dit"), found);
    }

    private static byte[] chunk(String type, byte[] data) {
        byte[] typeAndData = new byte[4 + data.length];
        System.arraycopy(type.getBytes(StandardCharsets.ISO_8859_1), 0, typeAndData, 0, 4);
        System.arraycopy(data, 0, typeAndData, 4, data.length);
        CRC32 checksum = new CRC32();
        checksum.update(typeAndData);
        return ByteBuffer.allocate(8 + typeAndData.length)
                .putInt(data.length)
                .put(typeAndData)
                .putInt((int) checksum.getValue())
                .array();
    }

    private static byte[] withChunks(byte[]... chunks) throws IOException {
        byte[] whole = png(Map.of());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(whole, 0, 33);
        for (byte[] chunk : chunks) {
            bytes.writeBytes(chunk);
        }
        bytes.write(whole, 33, whole.length - 33);
        return bytes.toByteArray();
    }

    private static byte[] folded(String start, byte[] text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(start.getBytes(StandardCharsets.ISO_8859_1));
        try (OutputStream out = new DeflaterOutputStream(bytes)) {
            out.write(text);
        }
        return bytes.toByteArray();
    }

    @Test
    void readsWhatOthersWrite() throws IOException {
        byte[] file = withChunks(
                chunk("zTXt", folded("Comment\0\0", "packed".getBytes(StandardCharsets.ISO_8859_1))),
                chunk("iTXt", folded("Title\0\1\0de\0Titel\0", "größer".getBytes(StandardCharsets.UTF_8))),
                chunk("iTXt", "Author\0\0\0\0\0somebody".getBytes(StandardCharsets.UTF_8)),
                chunk("tEXt", "Comment\0a second".getBytes(StandardCharsets.UTF_8)));
        assertEquals(
                Map.of("Comment", "packed", "Title", "größer", "Author", "somebody"), PictureTexts.parse(FILE, file));
    }

    @Test
    void refusesWhatIsDamagedOrTooMuch() throws IOException {
        refused("no PNG or WebP image", "GIF89a, and some more".getBytes(StandardCharsets.ISO_8859_1));
        byte[] whole = png(Map.of("Software", "tornado-dit"));
        refused("truncated", Arrays.copyOf(whole, whole.length - 13));
        byte[] wrong = whole.clone();
        wrong[45] ^= 1;
        refused("the checksum of a text is wrong", wrong);
        refused("without a keyword's end", withChunks(chunk("tEXt", new byte[] {65, 66})));
        refused("unfolds to more than 65536 bytes", withChunks(chunk("zTXt", folded("a\0\0", new byte[1 << 24]))));
        refused("a compressed text that is cut off", withChunks(chunk("zTXt", new byte[] {65, 0, 0, 120})));
        refused("a compressed text", withChunks(chunk("zTXt", new byte[] {65, 0, 0, 1, 2, 3, 4})));
        refused("a compressed text that is empty", withChunks(chunk("zTXt", new byte[] {65, 0})));
        refused("longer than 65536 bytes", withChunks(chunk("tEXt", new byte[65537])));
        byte[][] many = new byte[101][];
        for (int i = 0; i < many.length; i++) {
            many[i] = PngText.chunk("k" + i, "");
        }
        refused("its texts are more than 100", withChunks(many));
        assertTrue(String.valueOf(
                        assertThrows(ImageFileException.class, () -> PictureTexts.read(folder.resolve("none.png")))
                                .getMessage())
                .endsWith("none.png: no such file"));
        assertThrows(ImageFileException.class, () -> PictureTexts.read(folder));
        assertThrows(IllegalArgumentException.class, () -> PngText.chunk("", "x"));
    }

    private static void refused(String words, byte[] file) {
        String message = String.valueOf(assertThrows(ImageFileException.class, () -> PictureTexts.parse(FILE, file))
                .getMessage());
        assertTrue(message.contains(words), message);
        assertEquals(1, message.lines().count(), message);
    }

    @Test
    void aTextInTheFirstChunksIsFoundWithoutDecoding() throws IOException {
        byte[] chunk = PngText.chunk("Software", "x");
        assertArrayEquals(chunk, Arrays.copyOfRange(png(Map.of("Software", "x")), 33, 33 + chunk.length));
    }
}
