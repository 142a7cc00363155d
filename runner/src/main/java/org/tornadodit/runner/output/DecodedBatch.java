package org.tornadodit.runner.output;

import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.tornadodit.scheduler.engine.Engine;

/**
 * The pictures of a batch. They are decoded in portions, of which one is in memory at a time as float32; the last is laid
 * out when the grid is asked for, on the thread that writes it.
 */
public final class DecodedBatch {
    private final ImageGrid grid;
    private final int count;
    private final float[] last;
    private final int lastFirst;
    private final int lastCount;
    private final double seconds;

    private DecodedBatch(ImageGrid grid, int count, float[] last, int lastFirst, int lastCount, double seconds) {
        this.grid = grid;
        this.count = count;
        this.last = last;
        this.lastFirst = lastFirst;
        this.lastCount = lastCount;
        this.seconds = seconds;
    }

    /**
     * Decodes a batch.
     *
     * @param latents (count, C, H, W)
     * @param size pixels a side of an image
     * @param perRow images in a row of the grid
     * @param portion images a call of the engine
     */
    public static DecodedBatch of(Engine engine, float[] latents, int count, int size, int perRow, int portion) {
        ImageGrid grid = new ImageGrid(count, perRow, size);
        int elements = latents.length / count;
        double seconds = 0;
        for (int first = 0; ; first += portion) {
            int n = Math.min(portion, count - first);
            float[] part = n == count ? latents : Arrays.copyOfRange(latents, first * elements, (first + n) * elements);
            long begun = System.nanoTime();
            float[] images = engine.decode(part, n);
            seconds += (System.nanoTime() - begun) / 1e9;
            if (first + n == count) {
                return new DecodedBatch(grid, count, images, first, n, seconds);
            }
            grid.add(images, first, n);
        }
    }

    /** Seconds that the engine took. */
    public double seconds() {
        return seconds;
    }

    /** The grid. */
    public BufferedImage picture() {
        grid.add(last, lastFirst, lastCount);
        return grid.picture();
    }

    /** Each image by itself. */
    public List<BufferedImage> pictures() {
        grid.add(last, lastFirst, lastCount);
        return IntStream.range(0, count).mapToObj(grid::image).toList();
    }
}
