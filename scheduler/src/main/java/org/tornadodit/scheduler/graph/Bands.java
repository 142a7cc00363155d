package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.plan.Part;

/**
 * Which rows of the decoder's maps a device computes of a picture that several decode together. Pure arithmetic.
 *
 * <p>The small maps are whole on each of them, from some size on a device has the rows that are its own and as many around
 * them as the convolutions behind need: a band is a map with zeros around it like any other, so that each convolution spoils
 * another row at its cut edges, and none that is its own. What all rows are needed for is GroupNorm's statistics alone, whose
 * parts are whole rows: each device sums up the parts of its own rows, and all join all parts in their order. So the picture
 * has the bits of one device.
 *
 * @param rank of the devices, which this is
 * @param bands of each size, the latents' first
 */
record Bands(int ranks, int rank, List<Band> bands) {
    /**
     * Pixels a side of the smallest picture that is divided: measured on two H200s, one of 512 took 0.84 of one GPU's time, and
     * one of 128 took 2.8 times as long, in a first decode, with the demo model.
     */
    private static final int LEAST_SIDE = 512;

    /**
     * Rows of a map.
     *
     * @param size of the map, pixels a side
     * @param first row that is there
     * @param height rows that are there
     * @param own the first of the device's own rows
     * @param ownHeight how many
     */
    record Band(int size, int first, int height, int own, int ownHeight) {
        static Band whole(int size) {
            return new Band(size, 0, size, 0, size);
        }

        /** Own rows, and so many on either side as far as there are some. */
        static Band around(int size, int own, int ownHeight, int halo) {
            int first = Math.max(0, own - halo);
            return new Band(size, first, Math.min(size, own + ownHeight + halo) - first, own, ownHeight);
        }

        boolean isWhole() {
            return height == size && ownHeight == size;
        }

        /** Pixels that are there. */
        int pixels() {
            return height * size;
        }

        /** Pixels before the own ones. */
        int skipped() {
            return (own - first) * size;
        }

        int ownPixels() {
            return ownHeight * size;
        }

        /** Parts of the statistics of the whole map. */
        int allParts() {
            return GroupNorm.parts(size * size);
        }

        /** Parts of the own rows. */
        int ownParts() {
            return (int) ((long) allParts() * ownHeight / size);
        }

        /** Parts before those. */
        int partsBefore() {
            return (int) ((long) allParts() * own / size);
        }
    }

    /** All on one device. */
    static Bands whole(VaeConfig config, int latentSize) {
        List<Band> bands = new ArrayList<>();
        for (int size = latentSize; size <= latentSize * config.upsampling(); size *= 2) {
            bands.add(Band.whole(size));
        }
        return new Bands(1, 0, List.copyOf(bands));
    }

    /**
     * Of a device that has a part of samples: whole where there are as many samples as devices, which then share these, and
     * where it would not pay. Virtual devices, whose time is nobody's, divide what can be divided.
     */
    static Bands of(VaeConfig config, int latentSize, Part part) {
        boolean worth = pays(config, latentSize) || !TornadoDevices.sdkIsPresent();
        return part.samples().count() >= part.ranks() || !worth
                ? whole(config, latentSize)
                : of(config, latentSize, part.ranks(), part.rank());
    }

    /** Whether a picture is large enough for its rows to be worth the meetings. */
    static boolean pays(VaeConfig config, int latentSize) {
        return latentSize * config.upsampling() >= LEAST_SIDE;
    }

    /** Of one of several devices; whole where a picture cannot be divided among as many. */
    static Bands of(VaeConfig config, int latentSize, int ranks, int rank) {
        int largest = latentSize * config.upsampling();
        for (int size = 2 * latentSize; size <= largest; size *= 2) {
            int grain = grain(size, largest);
            if (grain > 0 && size / grain >= ranks && config.normNumGroups() % 2 == 0) {
                return divided(config, latentSize, size, grain, ranks, rank);
            }
        }
        return whole(config, latentSize);
    }

    /** Rows of a size, two at least, that are whole parts of the statistics there and at all larger sizes; 0 for none. */
    private static int grain(int size, int largest) {
        int grain = 2;
        for (int larger = size; larger <= largest; larger *= 2) {
            int parts = GroupNorm.parts(larger * larger);
            if (larger % parts != 0) {
                return 0;
            }
            grain = Math.max(grain, larger / parts / (larger / size));
        }
        return size % grain == 0 && grain % 2 == 0 ? grain : 0;
    }

    private static Bands divided(VaeConfig config, int latentSize, int from, int grain, int ranks, int rank) {
        int largest = latentSize * config.upsampling();
        int units = from / grain;
        int begin = rank * units / ranks * grain;
        int end = (rank + 1) * units / ranks * grain;
        List<Band> bands = new ArrayList<>();
        int halo = 1; // conv_out
        for (int size = largest; size >= latentSize; size /= 2) {
            if (size < from) {
                bands.addFirst(Band.whole(size));
                continue;
            }
            int spoiled = 1 + 2 * config.resnetsPerUpBlock(); // by the upsampler before, and by the residual layers
            int even = (halo + spoiled + 1) / 2 * 2;
            int scale = size / from;
            bands.addFirst(Band.around(size, begin * scale, (end - begin) * scale, even));
            halo = even / 2;
        }
        return new Bands(ranks, rank, List.copyOf(bands));
    }

    /** Whether other devices have other rows. */
    boolean isDivided() {
        return ranks > 1;
    }

    /** Of the map of a size. */
    Band at(int size) {
        return bands.get(Integer.numberOfTrailingZeros(size / bands.getFirst().size()));
    }

    /** Of the picture. */
    Band last() {
        return bands.getLast();
    }

    /** Which rows of a size an upsampler reads. */
    Band before(int size) {
        Band larger = at(2 * size);
        return new Band(size, larger.first() / 2, larger.height() / 2, larger.own() / 2, larger.ownHeight() / 2);
    }

    /** Floats of statistics that each device sends to each other one, for one picture: two for each group and part. */
    long bytesSent(VaeConfig config) {
        long bytes = 0;
        for (int i = 0; i < bands.size(); i++) {
            Band band = bands.get(i);
            if (!band.isWhole()) {
                int norms = 2 * config.resnetsPerUpBlock() + (i == bands.size() - 1 ? 1 : 0);
                bytes += (long) norms * band.ownParts() * config.normNumGroups() * 2 * Float.BYTES;
            }
        }
        return bytes * (ranks - 1);
    }
}
