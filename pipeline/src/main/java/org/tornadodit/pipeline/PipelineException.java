package org.tornadodit.pipeline;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tornadodit.model.Printable;

/**
 * A model cannot be opened or a request cannot be done, for a reason outside the program: files, devices, memory, or a value
 * that the numbers cannot hold. The message is one line: what, got, wanted, what to do. The cause is what was thrown, such as
 * {@link org.tornadodit.model.io.file.CheckpointException},
 * {@link org.tornadodit.scheduler.device.DeviceUnavailableException},
 * {@link org.tornadodit.scheduler.device.DeviceFailedException} or
 * {@link org.tornadodit.scheduler.engine.OverflowException}.
 */
public final class PipelineException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What the command line's options are called here; longer ones first. */
    private static final Map<String, String> WORDS = new LinkedHashMap<>();

    static {
        WORDS.put("DIT_JVM_OPTS=-Xmx", "-Xmx");
        WORDS.put("--kernels portable", "kernels(Tier.PORTABLE)");
        WORDS.put("--kernels mma", "kernels(Tier.MMA)");
        WORDS.put("--kernels wgmma", "kernels(Tier.WGMMA)");
        WORDS.put("leave out --kernels", "leave out kernels(...)");
        WORDS.put("name fewer --class-labels", "open with a smaller maxBatch");
        WORDS.put("name other --devices or fewer --class-labels", "name other devices(...) or a smaller maxBatch");
        WORDS.put("--device cpu", "devices(\"cpu\")");
        WORDS.put("--cfg-scale", "the guidance scale");
        WORDS.put("./dit devices", "DitPipeline.devices()");
    }

    PipelineException(String message) {
        super(message);
    }

    private PipelineException(String message, Throwable cause) {
        super(message, cause);
    }

    /** What to throw for a failure: its line, in this API's words. */
    static PipelineException of(Throwable failure) {
        if (failure instanceof PipelineException same) {
            return same;
        }
        String message = failure.getMessage();
        return new PipelineException(message == null ? failure.getClass().getSimpleName() : inJava(message), failure);
    }

    /** A line with this API's words in place of the command line's. */
    static String inJava(String line) {
        String words = Printable.line(line, Integer.MAX_VALUE);
        for (Map.Entry<String, String> each : WORDS.entrySet()) {
            words = words.replace(each.getKey(), each.getValue());
        }
        return words;
    }
}
