package org.tornadodit.pipeline;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.metrics.PictureFormat;
import org.tornadodit.model.vae.PixelLevel;

/** One picture. Immutable. */
public final class Picture {
    private final int label;
    private final String className;
    private final int size;
    private final byte[] rgb;
    private final Map<String, String> texts;

    private Picture(int label, String className, int size, byte[] rgb, Map<String, String> texts) {
        this.label = label;
        this.className = className;
        this.size = size;
        this.rgb = rgb;
        this.texts = texts;
    }

    /**
     * A picture of a decoded batch.
     *
     * @param images (N, 3, size, size), about -1..1
     * @param place of the picture in the batch
     */
    static Picture of(float[] images, int place, int size, int label, String className) {
        int plane = size * size;
        byte[] rgb = new byte[3 * plane];
        for (int channel = 0; channel < 3; channel++) {
            int from = (3 * place + channel) * plane;
            for (int i = 0; i < plane; i++) {
                rgb[3 * i + channel] = (byte) PixelLevel.of(images[from + i]);
            }
        }
        return new Picture(label, className, size, rgb, Map.of());
    }

    /** The same, telling what made it. */
    Picture with(PictureFacts facts) {
        return new Picture(label, className, size, rgb, facts.texts());
    }

    /** Its class. */
    public int label() {
        return label;
    }

    /** Its class by name where that is known, else by number. */
    public String className() {
        return className;
    }

    /** Pixels a side. */
    public int size() {
        return size;
    }

    /** Its levels, 0 to 255 as unsigned bytes (H, W, 3): red, green and blue of each pixel, row by row. A copy. */
    public byte[] rgb() {
        return rgb.clone();
    }

    /** As Java's image of type {@link BufferedImage#TYPE_INT_RGB}. A copy. */
    public BufferedImage image() {
        BufferedImage image = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
        int[] pixels = new int[size * size];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (rgb[3 * i] & 0xff) << 16 | (rgb[3 * i + 1] & 0xff) << 8 | rgb[3 * i + 2] & 0xff;
        }
        image.setRGB(0, 0, size, size, pixels, 0, size);
        return image;
    }

    /** As a PNG file's bytes, with {@link PictureFacts} where the picture was sampled here; of latents they are not known. */
    public byte[] png() {
        return bytes(PictureFormat.PNG);
    }

    /**
     * The same as a lossless WebP file's.
     *
     * @throws UncheckedIOException when this machine cannot write it, in one line
     */
    public byte[] webp() {
        return bytes(PictureFormat.WEBP);
    }

    /**
     * The same in any format.
     *
     * @throws UncheckedIOException when this machine cannot write it, in one line
     */
    public byte[] bytes(PictureFormat format) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            format.write(image(), texts, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
        return bytes.toByteArray();
    }

    /**
     * Writes a file, whole or not at all: a WebP as {@link #webp} has it where the name ends so, else a PNG as {@link #png} has
     * it.
     *
     * @throws IOException when it cannot be written, in one line
     */
    public void write(Path file) throws IOException {
        AtomicFile.write(file, out -> PictureFormat.of(file).write(image(), texts, out));
    }

    @Override
    public String toString() {
        return "%s, %d x %d".formatted(className, size, size);
    }
}
