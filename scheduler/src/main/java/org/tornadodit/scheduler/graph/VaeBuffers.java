package org.tornadodit.scheduler.graph;

import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.kernels.PackedMap;
import org.tornadodit.model.vae.VaeConfig;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * All arrays of the decoder but its weights, allocated once, for {@link #count} images a pass. Feature maps are
 * (N, H, W, C), channels last, in arrays of the largest map's size.
 */
public final class VaeBuffers {
    /** Images that one pass decodes (N). */
    public final int count;
    /** Latent pixels a side. */
    final int latentSize;
    /** (N, C, H, W), from the host. */
    public final FloatArray latents;
    /** The feature map and what becomes of it: an upsampler swaps the two. */
    private final FloatArray even;

    private final FloatArray odd;
    /** Which kernels work on them. */
    final DecoderTier tier;
    /** What goes into a portable convolution or product: its input stays while its output is written. */
    final FloatArray normed;
    /** What goes into a convolution on tensor cores, see {@link PackedMap}. */
    final IntArray packed;
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
    public final IntArray layer;
    /** (N, 3, 8 H, 8 W). */
    public final FloatArray images;

    public VaeBuffers(VaeConfig config, int latentSize, int count, DecoderTier tier) {
        this.tier = tier;
        this.count = count;
        this.latentSize = latentSize;
        int map = Math.toIntExact(count * largestMap(config, latentSize));
        int pixels = latentSize * latentSize;
        int mid = config.midBlockAddAttention() ? config.midChannels() : 0;
        latents = ArrayPages.floats(count * config.latentChannels() * pixels);
        even = ArrayPages.deviceFloats(map);
        odd = ArrayPages.deviceFloats(map);
        normed = ArrayPages.deviceFloats(
                tier.isPortable() ? map : count * pixels * Math.max(config.latentChannels(), Math.max(1, mid)));
        packed = ArrayPages.deviceInts(tier.isPortable() ? 1 : packedSize(config, latentSize, count, tier.planes()));
        query = ArrayPages.deviceFloats(Math.max(1, count * pixels * mid));
        key = ArrayPages.deviceFloats(Math.max(1, count * pixels * mid));
        value = ArrayPages.deviceFloats(Math.max(1, count * pixels * mid));
        scores = ArrayPages.deviceFloats(mid == 0 ? 1 : Math.multiplyExact(count, Math.multiplyExact(pixels, pixels)));
        sums = ArrayPages.deviceFloats(count * GroupNorm.parts(Integer.MAX_VALUE) * config.normNumGroups() * 2);
        statistics = ArrayPages.deviceFloats(count * config.normNumGroups() * 2);
        layer = ArrayPages.ints(1);
        images = ArrayPages.floats(count * config.outChannels() * pixels * config.upsampling() * config.upsampling());
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

    /** The feature maps and the room beside them, which all graphs but the last hand on. */
    Object[] maps() {
        return new Object[] {even, odd, normed};
    }

    private static int packedSize(VaeConfig config, int latentSize, int count, int planes) {
        int largest = 0;
        int size = latentSize;
        int channels = config.midChannels();
        for (int out : config.upBlockChannels()) {
            largest = Math.max(largest, PackedMap.size(count, size, size, Math.max(channels, out), planes));
            channels = out;
            if (size < latentSize * config.upsampling()) {
                size *= 2;
                largest = Math.max(largest, PackedMap.size(count, size, size, channels, planes));
            }
        }
        return largest;
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
    static long bytes(VaeConfig config, int latentSize, int count, DecoderTier tier) {
        long pixels = (long) latentSize * latentSize;
        long mid = config.midBlockAddAttention() ? config.midChannels() : 0;
        long attention = mid == 0 ? 0 : 3 * pixels * mid + pixels * pixels;
        long image = pixels * config.upsampling() * config.upsampling() * config.outChannels();
        long maps = tier.isPortable()
                ? 3L * count * largestMap(config, latentSize)
                : 2L * count * largestMap(config, latentSize) + packedSize(config, latentSize, count, tier.planes());
        return Float.BYTES * (maps + count * (attention + image));
    }
}
