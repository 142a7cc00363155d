package org.tornadodit.scheduler.plan;

import java.util.Optional;

/** How the devices of a crew reach each other, and what an exchange takes. */
public enum Link {
    /** Each stores into the other's memory, over NVLink: measured between two H200s. */
    PEERS("nvlink", 350e9, 6e-6),

    /**
     * Through memory of the host: bytes go up to it and down again, each at the 22 GB/s of PCIe 4.0 with 16 lanes, and each
     * signal crosses PCIe several times.
     */
    HOST("host", 11e9, 15e-6);

    private final String word;
    private final double bytesPerSecond;
    private final double meeting;

    Link(String word, double bytesPerSecond, double meeting) {
        this.word = word;
        this.bytesPerSecond = bytesPerSecond;
        this.meeting = meeting;
    }

    /** The command line's. */
    public String word() {
        return word;
    }

    /** Why a mesh's devices cannot exchange like this what they have to. */
    public Optional<String> refusal(Mesh mesh) {
        if (this == PEERS) {
            return Optional.empty();
        }
        if (mesh.owners() > 1) {
            return Optional.of("blocks' weights go from device to device alone, not through the host's memory");
        }
        return mesh.patches() > 1
                ? Optional.of("patches go from device to device alone, not through the host's memory")
                : Optional.empty();
    }

    /**
     * What it takes that kernels send what they make as they make it, and those behind them wait: all but the last tiles of a
     * multiprocessor are under way beside the next ones. Measured between two H200s, 1 image of XL/2, where signals could not be told
     * from nothing.
     *
     * @param bytes that a device sends
     * @param waves how many tiles each multiprocessor makes of what is sent
     * @return seconds
     */
    public double secondsOfSending(long bytes, int waves) {
        return bytes / bytesPerSecond / waves;
    }

    /**
     * What exchanges take.
     *
     * @param bytes that a device sends
     * @param exchanges in which it does
     * @return seconds; besides the bytes there are the signals, and devices are not at the same place at once
     */
    public double seconds(long bytes, int exchanges) {
        return bytes / bytesPerSecond + exchanges * meeting;
    }
}
