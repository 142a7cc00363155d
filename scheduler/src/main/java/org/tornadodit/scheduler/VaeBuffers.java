package org.tornadodit.scheduler;

import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.model.vae.VaeConfig;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * All arrays of the decoder but its weights, allocated once, for {@link #count} images a pass. Feature maps are
 * (N, H, W, C), channels last, in arrays of the largest map's size.
 */
final class VaeBuffers {
    /** Images that one pass decodes (N). */
    final int count;
    /** Latent pixels a side. */
    final int latentSize;
    /** (N, C, H, W), from the host. */
    final FloatArray latents;
    /** The feature map and what becomes of it: an upsampler swaps the two. */
    private final FloatArray even;

    private final FloatArray odd;
    /** What goes into a convolution: its input stays while its output is written. */
    final FloatArray normed;
    /** (N, T, C) each, T = H * W of the latent: the middle's attention. */
    final FloatArray query;

    final FloatArray key;
    /** (N, C, T). */
    final FloatArray value;
    /** (N, T, T). */
    final FloatArray scores;
    /** See {@link GroupNorm}. */
    final FloatArray sums;

    final FloatArray statistics;
    /** (1), from the host: which of a graph's layers runs. */
    final IntArray layer;
    /** (N, 3, 8 H, 8 W). */
    final FloatArray images;

    VaeBuffers(VaeConfig config, int latentSize, int count) {
        this.count = count;
        this.latentSize = latentSize;
        int map = Math.toIntExact(count * largestMap(config, latentSize));
        int pixels = latentSize * latentSize;
        int mid = config.midBlockAddAttention() ? config.midChannels() : 0;
        latents = new FloatArray(count * config.latentChannels() * pixels);
        even = new FloatArray(map);
        odd = new FloatArray(map);
        normed = new FloatArray(map);
        query = new FloatArray(Math.max(1, count * pixels * mid));
        key = new FloatArray(Math.max(1, count * pixels * mid));
        value = new FloatArray(Math.max(1, count * pixels * mid));
        scores = new FloatArray(mid == 0 ? 1 : Math.multiplyExact(count, Math.multiplyExact(pixels, pixels)));
        sums = new FloatArray(count * GroupNorm.parts(Integer.MAX_VALUE) * config.normNumGroups() * 2);
        statistics = new FloatArray(count * config.normNumGroups() * 2);
        layer = new IntArray(1);
        images = new FloatArray(count * config.outChannels() * pixels * config.upsampling() * config.upsampling());
    }

    /** The feature map at a size of pixels a side. */
    FloatArray x(int size) {
        return doublings(size) % 2 == 0 ? even : odd;
    }

    /** Room of the same size beside {@link #x}. */
    FloatArray branch(int size) {
        return doublings(size) % 2 == 0 ? odd : even;
    }

    private int doublings(int size) {
        return Integer.numberOfTrailingZeros(size / latentSize);
    }

    /** What all graphs but the last hand on. */
    Object[] carried() {
        return new Object[] {even, odd, normed};
    }

    /** Elements of the largest feature map of one image. */
    static long largestMap(VaeConfig config, int latentSize) {
        long largest = 0;
        long size = latentSize;
        int channels = config.midChannels();
        for (int out : config.upBlockChannels()) {
            largest = Math.max(largest, size * size * Math.max(channels, out));
            channels = out;
            size *= 2;
            if (size <= (long) latentSize * config.upsampling()) {
                largest = Math.max(largest, size * size * channels); // after the upsampler
            }
        }
        return largest;
    }

    /** Bytes of device memory that decoding {@code count} images at a time takes, without the weights. */
    static long bytes(VaeConfig config, int latentSize, int count) {
        long pixels = (long) latentSize * latentSize;
        long mid = config.midBlockAddAttention() ? config.midChannels() : 0;
        long attention = mid == 0 ? 0 : 3 * pixels * mid + pixels * pixels;
        long image = pixels * config.upsampling() * config.upsampling() * config.outChannels();
        return count * Float.BYTES * (3 * largestMap(config, latentSize) + attention + image);
    }
}
