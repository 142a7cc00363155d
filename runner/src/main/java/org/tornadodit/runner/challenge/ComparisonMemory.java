package org.tornadodit.runner.challenge;

import java.util.stream.LongStream;
import org.tornadodit.model.metrics.DifferencePicture;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.ImageMetrics;
import org.tornadodit.model.metrics.Lanczos;
import org.tornadodit.model.metrics.Lpips;
import org.tornadodit.model.metrics.RgbImage;

/**
 * Heap that comparing two images takes, known from their headers.
 *
 * @param baseline read first, and kept
 * @param candidate read second, then resized where its size is another
 * @param lpips whether LPIPS is measured
 * @param difference whether the picture of the difference is written
 */
record ComparisonMemory(ImageFiles.Size baseline, ImageFiles.Size candidate, boolean lpips, boolean difference) {

    /** LPIPS' weights as read and as prepared for a stage's convolutions. */
    private static final long LPIPS_WEIGHTS_BYTES = 250_000_000;

    /** Whether the candidate has to be resized. */
    boolean resizes() {
        return baseline.width() != candidate.width() || baseline.height() != candidate.height();
    }

    /** Bytes at the stage that takes most. */
    long bytes() {
        int width = baseline.width();
        int height = baseline.height();
        long one = RgbImage.CHANNELS * baseline.pixels();
        long resizing = RgbImage.CHANNELS * candidate.pixels()
                + Lanczos.heapBytes(candidate.width(), candidate.height(), width, height);
        return (lpips ? LPIPS_WEIGHTS_BYTES : 0)
                + LongStream.of(
                                baseline.heapBytes(),
                                one + candidate.heapBytes(),
                                resizes() ? one + resizing : 0,
                                2 * one + ImageMetrics.heapBytes(width, height),
                                lpips ? 2 * one + Lpips.bytes(width, height) : 0,
                                difference ? 2 * one + DifferencePicture.heapBytes(width, height) : 0)
                        .max()
                        .orElseThrow();
    }
}
