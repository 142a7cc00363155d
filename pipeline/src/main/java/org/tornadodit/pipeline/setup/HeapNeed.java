package org.tornadodit.pipeline.setup;

import org.tornadodit.model.JavaHeap;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.run.CpuEngine;

/**
 * Heap of a run at its largest, known before anything is allocated: denoising, decoding, previews, and the grids that are
 * written meanwhile.
 *
 * @param engine bytes of the engine, with a portion of images
 * @param pictures bytes of grids, and of what waits to be laid out or written
 * @param decodedTogether images of a portion: what is decoded in one call
 */
public record HeapNeed(long engine, long pictures, int decodedTogether) {

    /** Share of the heap that a portion of images may take, one image at least. */
    private static final int SHARE_OF_PORTION = 8;

    /**
     * What a run needs.
     *
     * @param pictures bytes of the pictures that are laid out at a time
     * @param threads of the CPU engine; 0 where devices compute, which keep activations in their own memory
     * @param overlaps whether a picture may be written while the next is made: several batches, previews
     */
    public static HeapNeed of(
            DitConfig config, VaeConfig vae, int samples, long pictures, int threads, boolean overlaps) {
        long side = config.imageSize();
        long image = Float.BYTES * vae.outChannels() * side * side;
        int together = (int) Math.clamp(JavaHeap.room() / SHARE_OF_PORTION / image, 1, samples);
        long latents = (long) Float.BYTES * samples * config.inputElements();
        long engine = engine(config, vae, samples, threads, together);
        // The pictures, a row of the PNG at a time; before them the batch's latents and its last portion.
        long waiting = overlaps ? pictures + together * image + latents : 0;
        return new HeapNeed(engine, pictures + latents + waiting, together);
    }

    /** What a run needs that decodes whole batches in one call, and keeps the images of one to compare with. */
    public static HeapNeed ofWholeBatches(DitConfig config, VaeConfig vae, int samples, int threads) {
        long images = (long) Float.BYTES * vae.outChannels() * config.imageSize() * config.imageSize() * samples;
        return new HeapNeed(engine(config, vae, samples, threads, samples), images, samples);
    }

    private static long engine(DitConfig config, VaeConfig vae, int samples, int threads, int together) {
        if (threads > 0) {
            return CpuEngine.heapBytes(config, vae, samples, threads, together);
        }
        long image = (long) Float.BYTES * vae.outChannels() * config.imageSize() * config.imageSize();
        return 6L * Float.BYTES * samples * config.inputElements() + 2 * together * image;
    }

    /** In all. */
    public long bytes() {
        return engine + pictures;
    }
}
