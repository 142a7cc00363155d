package org.tornadodit.model.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** WebP files: every pixel, and texts that other programs show. */
class WebpTextTest {
    private static final Path FILE = Path.of("x.webp");

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    private static byte[] webp(BufferedImage picture, Map<String, String> texts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PictureFormat.WEBP.write(picture, texts, bytes);
        return bytes.toByteArray();
    }

    private static BufferedImage picture(int width, int height, Random random) {
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int smooth = 0x010203 * (x + y & 0x3f);
                picture.setRGB(x, y, random.nextInt(4) == 0 ? random.nextInt(1 << 24) : smooth);
            }
        }
        return picture;
    }

    private static int[] pixels(BufferedImage picture) {
        int[] pixels = picture.getRGB(0, 0, picture.getWidth(), picture.getHeight(), null, 0, picture.getWidth());
        return Arrays.stream(pixels).map(pixel -> pixel & 0xffffff).toArray();
    }

    /** Sides even and odd, so that chunks have and lack their last byte. */
    @Test
    void keepsEveryPixelAndIsTheSameAgain() throws IOException {
        Random random = new Random(3);
        for (int[] size : new int[][] {{1, 1}, {2, 3}, {17, 5}, {64, 64}, {130, 66}}) {
            BufferedImage picture = picture(size[0], size[1], random);
            byte[] file = webp(picture, Map.of("Software", "x".repeat(size[0] % 4)));
            assertArrayEquals(
                    pixels(picture), pixels(ImageIO.read(new ByteArrayInputStream(file))), Arrays.toString(size));
            assertEquals(file.length - 8, Integer.reverseBytes(intAt(file, 4)), "RIFF's size");
            assertArrayEquals(file, webp(picture, Map.of("Software", "x".repeat(size[0] % 4))));
        }
    }

    private static int intAt(byte[] bytes, int at) {
        return ByteBuffer.wrap(bytes).getInt(at);
    }

    @Test
    void carriesTexts() throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("Software", "tornado-dit 1");
        texts.put("Description", "fox & \"größer\" <b>, ]]> 狐 \ud83e\udd8a");
        texts.put("tornado-dit", "model: demo\nseed: 0\n  spaces: kept  ");
        Path file = folder.resolve("x.webp");
        Files.write(file, webp(picture(9, 9, new Random(0)), texts));
        assertEquals(texts, PictureTexts.read(file));
        String packet = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertTrue(packet.contains("<xmp:CreatorTool>tornado-dit 1</xmp:CreatorTool>"), "as other tools look for it");
        assertEquals(
                Map.of(), PictureTexts.parse(FILE, WebpText.chunk("RIFF", "WEBP".getBytes(StandardCharsets.US_ASCII))));
    }

    /** Properties as elements, as attributes, and as arrays in several languages. */
    @Test
    void readsWhatOtherProgramsMakeOfThem() throws IOException {
        String packet = """
            <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
            <rdf:Description rdf:about="" xmlns:xap="http://ns.adobe.com/xap/1.0/" xap:CreatorTool="GIMP"
              xmlns:d="http://purl.org/dc/elements/1.1/" xmlns:o="urn:tornado-dit:texts">
              <d:description><rdf:Alt> <rdf:li xml:lang="x-default">a fox</rdf:li>
                <rdf:li xml:lang="de">ein Fuchs</rdf:li></rdf:Alt></d:description>
              <xap:Rating>5</xap:Rating>
              <o:tornado-dit>seed: 1</o:tornado-dit>
            </rdf:Description></rdf:RDF></x:xmpmeta>\
            """;
        assertEquals(
                Map.of("Software", "GIMP", "Description", "a fox", "tornado-dit", "seed: 1"),
                PictureTexts.parse(FILE, file("XMP ", packet)));
    }

    @Test
    void refusesWhatIsDamagedOrTooMuch() throws IOException {
        refused("no PNG or WebP image", "RIFF....WAVEfmt ".getBytes(StandardCharsets.US_ASCII));
        byte[] whole = webp(picture(5, 5, new Random(0)), Map.of("Software", "x"));
        refused("truncated", Arrays.copyOf(whole, whole.length - 30));
        refused("XMP packet is no XML", file("XMP ", "<a><b></a>"));
        refused("XMP packet is no XML", file("XMP ", ""));
        refused("longer than 131072 bytes", file("XMP ", " ".repeat(131073)));
        refused(
                "a chunk of 4294967295 bytes",
                "RIFF....WEBPVP8 \377\377\377\377".getBytes(StandardCharsets.ISO_8859_1));
        // Texts that unfold, and files that are asked for by name.
        refused("XMP packet", file("XMP ", "<!DOCTYPE a [<!ENTITY b \"x\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>"));
        refused("XMP packet", file("XMP ", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"));
        StringBuilder many = new StringBuilder("<a xmlns:o='urn:tornado-dit:texts'>");
        for (int i = 0; i < 101; i++) {
            many.append("<o:k%d>x</o:k%d>".formatted(i, i));
        }
        refused("its texts are more than 100", file("XMP ", many + "</a>"));
        assertThrows(IllegalArgumentException.class, () -> XmpPacket.of(Map.of("no name", "x")));
    }

    @Test
    void refusesWhatAPictureDoesNotHold() {
        PictureFormat.WEBP.requireHolds(16383, 16383);
        PictureFormat.PNG.requireHolds(16384, 1);
        assertEquals(
                "16384 x 1 pixels are more than a WebP picture holds, 16383 a side; write a PNG, or less in one"
                        + " picture",
                assertThrows(IllegalArgumentException.class, () -> PictureFormat.WEBP.requireHolds(16384, 1))
                        .getMessage());
    }

    @Test
    void formatsHaveNames() {
        assertEquals(PictureFormat.WEBP, PictureFormat.of(Path.of("a.png.WebP")));
        for (String name : List.of("a.png", "a", "webp", "a.webp.png")) {
            assertEquals(PictureFormat.PNG, PictureFormat.of(Path.of(name)), name);
        }
        assertEquals("image/webp", PictureFormat.named("WEBP").orElseThrow().mimeType());
        assertTrue(PictureFormat.named("jpeg").isEmpty());
        assertEquals("png or webp", PictureFormat.options());
    }

    private static byte[] file(String chunk, String data) {
        ByteArrayOutputStream chunks = new ByteArrayOutputStream();
        chunks.writeBytes("WEBP".getBytes(StandardCharsets.US_ASCII));
        chunks.writeBytes(WebpText.chunk("odd ", new byte[3]));
        chunks.writeBytes(WebpText.chunk(chunk, data.getBytes(StandardCharsets.UTF_8)));
        return WebpText.chunk("RIFF", chunks.toByteArray());
    }

    private static void refused(String words, byte[] file) {
        String message = String.valueOf(assertThrows(ImageFileException.class, () -> PictureTexts.parse(FILE, file))
                .getMessage());
        assertTrue(message.contains(words), message);
        assertEquals(1, message.lines().count(), message);
    }
}
