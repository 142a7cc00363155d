package org.tornadodit.pipeline;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.numpy.NpyFile;

/**
 * Denoised latents, not decoded yet and not yet divided by the autoencoder's scaling factor.
 *
 * @param values (N, C, H, W) in row-major order; not copied
 * @param shape N samples, C channels, H x W latent pixels, an eighth of the picture's
 * @param labels class of each sample (N)
 */
public record Latents(float[] values, Shape shape, List<Integer> labels) {

    /** @throws IllegalArgumentException when the sizes do not belong together */
    public Latents {
        labels = List.copyOf(labels);
        if (shape.rank() != 4 || shape.elements() != values.length || shape.dim(0) != labels.size()) {
            throw new IllegalArgumentException("%d values and %d labels for latents of shape %s, expected (N, C, H, W)"
                    .formatted(values.length, labels.size(), shape));
        }
    }

    /** Samples (N). */
    public int samples() {
        return labels.size();
    }

    /**
     * Others of the same model.
     *
     * @param values (M, C, H, W)
     * @param labels class of each sample (M)
     * @throws IllegalArgumentException when the sizes do not belong together
     */
    public Latents withSamples(float[] values, List<Integer> labels) {
        return new Latents(values, Shape.of(labels.size(), shape.dim(1), shape.dim(2), shape.dim(3)), labels);
    }

    /**
     * Writes them as {@code --save-latents} does: float32 {@code .npy}.
     *
     * @throws IOException when the file cannot be written
     */
    public void write(Path file) throws IOException {
        NpyFile.write(file, shape, values);
    }
}
