package org.tornadodit.model.metrics;

import com.luciad.imageio.webp.CompressionType;
import com.luciad.imageio.webp.WebPImageWriterSpi;
import com.luciad.imageio.webp.WebPWriteParam;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;

/** Google's libwebp, which the library's jar holds for common machines. It is loaded by the first picture alone. */
final class WebpLibrary {
    /** 0 to 1. What is more takes several times as long for files that are 1 % smaller. */
    private static final float EFFORT = 0.75f;

    private WebpLibrary() {}

    /** A WebP file with one chunk, whose pixels are the picture's. */
    static byte[] lossless(BufferedImage picture) throws IOException {
        try {
            ImageWriter writer = new WebPImageWriterSpi().createWriterInstance(null);
            try {
                WebPWriteParam choices = (WebPWriteParam) writer.getDefaultWriteParam();
                choices.setCompressionType(CompressionType.Lossless);
                choices.setCompressionQuality(EFFORT);
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
                    writer.setOutput(out);
                    writer.write(null, new IIOImage(picture, null, null), choices);
                }
                return bytes.toByteArray();
            } finally {
                writer.dispose();
            }
        } catch (LinkageError | RuntimeException e) { // no library for this machine, or no place to unpack it
            throw cannot(e);
        }
    }

    /** @throws IOException when this machine cannot write WebP */
    static void require() throws IOException {
        lossless(new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB));
    }

    private static IOException cannot(Throwable e) {
        Throwable cause = e;
        for (@Nullable Throwable next = e; next != null; next = next.getCause()) {
            cause = next;
        }
        return new IOException(
                "WebP cannot be written on this machine (%s: %s); write a PNG"
                        .formatted(
                                cause.getClass().getSimpleName(), Printable.text(String.valueOf(cause.getMessage()))),
                e);
    }
}
