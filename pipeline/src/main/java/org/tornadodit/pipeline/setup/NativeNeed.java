package org.tornadodit.pipeline.setup;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tornadodit.model.ByteCount;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.tensor.TensorSpec;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;

/**
 * Memory of the process that the system has to give, known before anything is loaded: where it does not have it, it
 * kills the process in the middle. Weights that are used in their file's pages do not count, the system can drop those.
 *
 * @param copies bytes of weights that are converted, or joined, outside the heap
 * @param heap bytes of the run's heap
 */
public record NativeNeed(long copies, long heap) {

    /** What Java takes besides, at least. */
    private static final long BASE = 64L << 20;

    private static final Path MEMORY = Path.of("/proc/meminfo");
    private static final Pattern AVAILABLE = Pattern.compile("^MemAvailable: +(\\d+) kB$", Pattern.MULTILINE);

    /** What a model's weights and a run's heap take. */
    public static NativeNeed of(
            Checkpoint weights, DitConfig config, Checkpoint vaeWeights, VaeConfig vaeConfig, HeapNeed heap) {
        return new NativeNeed(
                copies(weights, DitWeights.specs(config)) + copies(vaeWeights, VaeWeights.specs(vaeConfig)),
                heap.bytes());
    }

    /** Bytes of copies of these tensors; those that the checkpoint lacks take none. */
    static long copies(Checkpoint checkpoint, List<TensorSpec> tensors) {
        return tensors.stream()
                .map(TensorSpec::name)
                .filter(checkpoint.names()::contains)
                .mapToLong(checkpoint::copiedBytes)
                .sum();
    }

    /** Bytes that the machine or the container can give: its memory, without what others use where that is known. */
    public static long room() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return Math.min(system.getTotalMemorySize(), available()) + system.getFreeSwapSpaceSize();
    }

    /** Of the whole machine, page cache included. */
    private static long available() {
        try {
            Matcher line = AVAILABLE.matcher(Files.readString(MEMORY));
            return line.find() ? Long.parseLong(line.group(1)) << 10 : Long.MAX_VALUE;
        } catch (IOException none) {
            return Long.MAX_VALUE; // not Linux
        }
    }

    /**
     * Passes where the run fits.
     *
     * @param room bytes that there are
     * @throws IllegalStateException with what is needed, what is there and what to do
     */
    public void require(long room) {
        long needed = copies + heap + BASE;
        if (needed > room) {
            String what = copies == 0
                    ? "the run needs about %s of memory".formatted(ByteCount.of(needed))
                    : "the run needs about %s of memory, %s of it for weights that are not contiguous float32"
                            .formatted(ByteCount.of(needed), ByteCount.of(copies));
            String instead = copies == 0
                    ? "name fewer --class-labels"
                    : "take a checkpoint in float32, which is used in its file's pages";
            throw new IllegalStateException("%s; the machine or container has %s; give it more, or %s"
                    .formatted(what, ByteCount.of(room), instead));
        }
    }
}
