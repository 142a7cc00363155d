package org.tornadodit.model.metrics;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import javax.imageio.IIOException;

/**
 * Looks a JPEG file's markers over before it is decoded: each scan of a progressive file goes over the whole picture, so
 * a few bytes can ask for minutes of work. Source: ITU-T T.81, annex B.
 */
final class JpegScans {
    /** libjpeg's own script has ten. */
    static final int MOST_SCANS = 100;

    /**
     * Samples that all scans may go over together, eight times the largest picture's in three channels: about ten
     * seconds. libjpeg's script goes over them five times at most.
     */
    private static final long MOST_SAMPLES = 8L * RgbImage.CHANNELS * RgbImage.MAX_PIXELS;

    private static final int TEMPORARY = 0x01;
    private static final int FIRST_RESTART = 0xD0;
    private static final int START_OF_IMAGE = 0xD8;
    private static final int END_OF_IMAGE = 0xD9;
    private static final int START_OF_SCAN = 0xDA;
    private static final Set<Integer> NO_FRAME = Set.of(0xC4, 0xC8, 0xCC); // DHT, JPG, DAC

    private final ImageInput in;
    /** Samples of each component, by its identifier. */
    private final Map<Integer, Long> components = new HashMap<>();

    private final Set<Integer> scanned = new HashSet<>();
    private int scans;
    private long samples;

    private JpegScans(ImageInput in) {
        this.in = in;
    }

    /**
     * Checks a whole file.
     *
     * @throws IIOException when it is damaged, or would take too long
     */
    static void check(ImageInput.Source file) throws IOException {
        try (ImageInput in = file.open()) {
            new JpegScans(in).checkAll();
        }
    }

    private void checkAll() throws IOException {
        if (in.readByte() != 0xFF || in.readByte() != START_OF_IMAGE) {
            throw new IIOException("it does not begin as a JPEG");
        }
        for (int marker = nextMarker(); marker != END_OF_IMAGE; marker = nextMarker()) {
            if (marker == TEMPORARY || marker >= FIRST_RESTART && marker <= START_OF_IMAGE) {
                continue; // they stand alone
            }
            int length = in.readShort() - 2;
            if (length < 0) {
                throw new IIOException("a segment of %d bytes".formatted(length + 2));
            }
            if (marker >= 0xC0 && marker <= 0xCF && !NO_FRAME.contains(marker)) {
                length -= frame(length);
            } else if (marker == START_OF_SCAN) {
                length -= scan(length);
            }
            in.skip(length);
        }
        Set<Integer> missing = new HashSet<>(components.keySet());
        missing.removeAll(scanned);
        if (components.isEmpty() || !missing.isEmpty()) {
            throw new IIOException("%d of its %d channels have no scan".formatted(missing.size(), components.size()));
        }
    }

    /** The next marker: bytes that are none are a scan's data, or are passed over as libjpeg does. */
    private int nextMarker() throws IOException {
        while (true) {
            int value = in.readByte();
            while (value != 0xFF) {
                value = in.readByte();
            }
            while (value == 0xFF) {
                value = in.readByte();
            }
            if (value > 0) {
                return value;
            }
        }
    }

    private int frame(int length) throws IOException {
        if (length < 6) {
            throw new IIOException("a frame header of %d bytes".formatted(length));
        }
        in.skip(1);
        long height = in.readShort();
        long width = in.readShort();
        int count = in.readByte();
        if (length != 6 + 3 * count) {
            throw new IIOException("a frame header of %d bytes for %d channels".formatted(length, count));
        }
        if (!components.isEmpty()) {
            throw new IIOException("it has two frames");
        }
        Map<Integer, Integer> shares = new HashMap<>();
        int most = 1;
        for (int i = 0; i < count; i++) {
            int id = in.readByte();
            int sampling = in.readByte();
            in.skip(1);
            int share = Math.max(1, sampling >> 4) * Math.max(1, sampling & 15);
            shares.put(id, share);
            most = Math.max(most, share);
        }
        for (Map.Entry<Integer, Integer> share : shares.entrySet()) {
            components.put(share.getKey(), width * height * share.getValue() / most);
        }
        return length;
    }

    private int scan(int length) throws IOException {
        int count = length < 1 ? 0 : in.readByte();
        if (length < 1 + 2 * count) {
            throw new IIOException("a scan header of %d bytes for %d channels".formatted(length, count));
        }
        for (int i = 0; i < count; i++) {
            int id = in.readByte();
            in.skip(1);
            scanned.add(id);
            samples += components.getOrDefault(id, 0L);
        }
        scans++;
        if (scans > MOST_SCANS || samples > MOST_SAMPLES) {
            throw new IIOException("it has %s scans, expected at most %d%s"
                    .formatted(
                            scans > MOST_SCANS ? "more than " + MOST_SCANS : String.valueOf(scans),
                            MOST_SCANS,
                            scans > MOST_SCANS ? "" : ", fewer of a picture of this size"));
        }
        return length < 1 ? 0 : 1 + 2 * count;
    }
}
