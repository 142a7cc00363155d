package org.tornadodit.model.metrics;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Formats that pictures are written in. Each keeps every pixel, and texts. */
public enum PictureFormat {
    /** See {@link PngText}. */
    PNG {
        @Override
        public void write(BufferedImage picture, Map<String, String> texts, OutputStream out) throws IOException {
            ImageFiles.writePng(picture, texts, out);
        }

        @Override
        public void requireHolds(int width, int height) {}
    },
    /** Lossless. See {@link WebpText}. */
    WEBP {
        @Override
        public void write(BufferedImage picture, Map<String, String> texts, OutputStream out) throws IOException {
            requireHolds(picture.getWidth(), picture.getHeight());
            out.write(WebpText.with(WebpLibrary.lossless(picture), picture.getWidth(), picture.getHeight(), texts));
        }

        @Override
        public void requireHolds(int width, int height) {
            if (Math.max(width, height) > WebpText.LARGEST_SIDE) {
                throw new IllegalArgumentException(
                        "%d x %d pixels are more than a WebP picture holds, %d a side; write a PNG, or less in one picture"
                                .formatted(width, height, WebpText.LARGEST_SIDE));
            }
        }

        @Override
        public void requireWritable() throws IOException {
            WebpLibrary.require();
        }
    };

    /**
     * Writes a picture.
     *
     * @param texts by keyword; letters, digits and hyphens
     */
    public abstract void write(BufferedImage picture, Map<String, String> texts, OutputStream out) throws IOException;

    /** @throws IllegalArgumentException when a picture of so many pixels is too large */
    public abstract void requireHolds(int width, int height);

    /** @throws IOException when this machine cannot write it, in one line */
    public void requireWritable() throws IOException {}

    /** The name that options have, and files end in: {@code png}. */
    public String option() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** {@code .png}. */
    public String suffix() {
        return "." + option();
    }

    /** Of Internet messages: {@code image/png}. */
    public String mimeType() {
        return "image/" + option();
    }

    /** By its option's name, in any case. */
    public static Optional<PictureFormat> named(String name) {
        return Arrays.stream(values())
                .filter(format -> format.option().equalsIgnoreCase(name))
                .findFirst();
    }

    /** By the end of a file's name; PNG where that is something else. */
    public static PictureFormat of(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        return Arrays.stream(values())
                .filter(format -> name.endsWith(format.suffix()))
                .findFirst()
                .orElse(PNG);
    }

    /** All of them, as {@code png or webp}. */
    public static String options() {
        return Arrays.stream(values()).map(PictureFormat::option).collect(Collectors.joining(" or "));
    }
}
