package org.tornadodit.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PictureTest {
    /** The second of two images of 2 x 2: red, green, blue, white. */
    private static final Picture PICTURE = Picture.of(
            new float[] {
                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
                1, -1, -1, 1, /* red */ -1, 1, -1, 1, /* green */ -1, -1, 1, 1 /* blue */
            },
            1,
            2,
            5,
            "fox");

    @Test
    void isTheSameInAllForms(@TempDir Path folder) throws IOException {
        assertArrayEquals(new byte[] {-1, 0, 0, 0, -1, 0, 0, 0, -1, -1, -1, -1}, PICTURE.rgb());
        assertPixels(PICTURE.image());
        assertPixels(ImageIO.read(new ByteArrayInputStream(PICTURE.png())));
        Path file = folder.resolve("fox.png");
        PICTURE.write(file);
        assertArrayEquals(PICTURE.png(), Files.readAllBytes(file));
        assertEquals("fox, 2 x 2", PICTURE.toString());
    }

    private static void assertPixels(BufferedImage image) {
        assertArrayEquals(
                new int[] {0xffff0000, 0xff00ff00, 0xff0000ff, 0xffffffff}, image.getRGB(0, 0, 2, 2, null, 0, 2));
    }
}
