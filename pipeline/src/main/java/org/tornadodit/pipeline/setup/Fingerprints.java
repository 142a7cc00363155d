package org.tornadodit.pipeline.setup;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.CheckpointFingerprint;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.pipeline.PictureFacts;

/** The fingerprints of a run's weights, made while it samples, on one thread that is not missed. */
public final class Fingerprints implements AutoCloseable {
    private static final int SECONDS_TO_END = 60;

    private final ForkJoinPool thread = new ForkJoinPool(1);
    private final Future<Map<String, String>> made;

    /** Begins. The checkpoints are read until this is closed. */
    public Fingerprints(DitConfig config, Checkpoint weights, VaeConfig vaeConfig, Checkpoint vaeWeights) {
        made = thread.submit(() -> {
            Map<String, String> found = new LinkedHashMap<>(); // in this order, for files are compared
            found.put(PictureFacts.WEIGHTS, CheckpointFingerprint.of(weights, DitWeights.specs(config)));
            found.put(PictureFacts.VAE_WEIGHTS, CheckpointFingerprint.of(vaeWeights, VaeWeights.specs(vaeConfig)));
            return found;
        });
    }

    /** By the names of {@link PictureFacts}; none where the files cannot be read any more, which is no reason to lose pictures. */
    public Map<String, String> await() {
        try {
            return made.get();
        } catch (ExecutionException e) {
            return Map.of();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Map.of();
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
        try {
            if (!thread.awaitTermination(SECONDS_TO_END, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the weights are still being read after " + SECONDS_TO_END + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
