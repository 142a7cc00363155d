package org.tornadodit.scheduler.graph;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.DecoderRun;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.kernels.HostExchange;
import org.tornadodit.kernels.PackedMap;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.graph.BandExchanges.Ties;
import org.tornadodit.scheduler.graph.Bands.Band;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.Part.Span;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * All arrays of the decoder but its weights, allocated once, for {@link #count} images a pass. Feature maps are
 * (N, H, W, C), channels last, in arrays of the largest map's size.
 */
public final class VaeBuffers {
    /** Where the weights' arrays come from too. */
    final ArraySource arrays;
    /** Images that one pass decodes at most (N). */
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

    /** Which rows are here. */
    final Bands bands;
    /** With the other devices that decode the same picture; null where there are none. */
    final @Nullable Ties ties;

    final FloatArray statistics;
    /** Of the graph that is being written, see {@link #begin}. */
    private @Nullable IntArray run;
    /** (N, 3, 8 H, 8 W). */
    public final FloatArray images;

    /**
     * @param part of the samples: with fewer samples than devices these decode each picture together, one after the other
     * @param count where they do not
     * @param between the devices of the crew
     */
    public VaeBuffers(VaeConfig config, int latentSize, int count, DecoderTier tier, Part part, Link between) {
        this(Bands.of(config, latentSize, part), config, latentSize, count, tier, ArraySource.PAGES, between);
    }

    VaeBuffers(VaeConfig config, int latentSize, int count, DecoderTier tier) {
        this(Bands.whole(config, latentSize), config, latentSize, count, tier, ArraySource.PAGES, Link.PEERS);
    }

    VaeBuffers(
            Bands bands,
            VaeConfig config,
            int latentSize,
            int most,
            DecoderTier tier,
            ArraySource arrays,
            Link between) {
        this.bands = bands;
        int count = bands.isDivided() ? 1 : most;
        this.tier = tier;
        this.arrays = arrays;
        this.count = count;
        this.latentSize = latentSize;
        long map = count * largestMap(config, latentSize);
        long pixels = (long) latentSize * latentSize;
        long inputs = count * pixels; // of the first convolution and of the middle's attention
        long mid = config.midBlockAddAttention() ? config.midChannels() : 0;
        latents = arrays.floats(inputs * config.latentChannels());
        even = arrays.deviceFloats(map);
        odd = arrays.deviceFloats(map);
        normed = arrays.deviceFloats(
                tier.isPortable() ? map : inputs * Math.max(config.latentChannels(), Math.max(1, mid)));
        packed = arrays.deviceInts(tier.isPortable() ? 1 : packedSize(config, latentSize, count, tier.planes()));
        query = arrays.deviceFloats(Math.max(1, inputs * mid));
        key = arrays.deviceFloats(Math.max(1, inputs * mid));
        value = arrays.deviceFloats(Math.max(1, inputs * mid));
        scores = arrays.deviceFloats(mid == 0 ? 1 : inputs * pixels);
        sums = arrays.deviceFloats((long) count * GroupNorm.parts(Integer.MAX_VALUE) * config.normNumGroups() * 2);
        ties = Ties.of(bands, config, arrays, between);
        statistics = arrays.deviceFloats((long) count * config.normNumGroups() * 2);
        images = arrays.floats(inputs * config.outChannels() * config.upsampling() * config.upsampling());
    }

    /** A graph is written: which of its layers runs, for how many images, see {@link DecoderRun}. */
    void begin(IntArray itsRun) {
        run = itsRun;
    }

    /** See {@link #begin}. */
    IntArray run() {
        return Objects.requireNonNull(run, "no graph is being written");
    }

    /** The feature map at a size of pixels a side. */
    FloatArray x(int size) {
        return doublings(size) % 2 == 0 ? even : odd;
    }

    /** Room of the same size beside {@link #x}. */
    FloatArray branch(int size) {
        return doublings(size) % 2 == 0 ? odd : even;
    }

    /** Whether other devices have other rows of a picture. */
    public boolean isDivided() {
        return bands.isDivided();
    }

    /** Which pixels of each of a picture's channels are the device's own, of all that the picture has. */
    public Span ownPixels() {
        Band band = bands.last();
        return new Span(band.own() * band.size(), band.ownPixels(), band.size() * band.size());
    }

    /** Where those are in each channel of {@link #images}. */
    public Span imagePixels() {
        Band band = bands.last();
        return new Span(band.skipped(), band.ownPixels(), band.pixels());
    }

    /** Of several devices: who exchanges what. */
    public void describeExchanges(VaeConfig config) {
        if (ties != null) {
            ties.describe(bands, config.normNumGroups());
        }
    }

    /** What other devices want to know, see {@link #connect}, once a pass has been done. */
    public IntArray state() {
        return ties().state();
    }

    /** Tells this device where another one, or itself, has its arrays. */
    public void connect(int rank, IntArray state) {
        ties().connect(rank, state);
    }

    /** As {@link #connect}, where the host's memory lies between the devices. */
    public void connectThroughHost(int rank, VaeBuffers other, HostLanding landing) {
        ties().connectThroughHost(rank, other.ties(), landing);
    }

    /** Tells this device where others set its flags. */
    public void setFlags(long address) {
        ties().links().forEach(link -> HostExchange.setFlags(link, address));
    }

    /** Elements of the arrays that others' statistics come to, where there are others. */
    public int[] landingElements() {
        return ties == null
                ? new int[0]
                : ties.landings().stream().mapToInt(FloatArray::getSize).toArray();
    }

    private Ties ties() {
        if (ties == null) {
            throw new IllegalStateException("a picture that one device decodes");
        }
        return ties;
    }

    private int doublings(int size) {
        return Integer.numberOfTrailingZeros(size / latentSize);
    }

    /** The feature maps and the room beside them, which all graphs but the last hand on. */
    Object[] maps() {
        return new Object[] {even, odd, normed};
    }

    private static long packedSize(VaeConfig config, int latentSize, int count, int planes) {
        long largest = 0;
        int size = latentSize;
        int channels = config.midChannels();
        for (int out : config.upBlockChannels()) {
            largest = Math.max(largest, PackedMap.elements(count, size, size, Math.max(channels, out), planes));
            channels = out;
            if (size < latentSize * config.upsampling()) {
                size *= 2;
                largest = Math.max(largest, PackedMap.elements(count, size, size, channels, planes));
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
}
