package org.tornadodit.pipeline.setup;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.CheckpointFingerprint;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.pipeline.PictureFacts;

/**
 * The fingerprints of a run's weights: made once, when they are asked for or {@link #begin begun} with, beside the work.
 * Thread safe.
 */
public final class Fingerprints implements AutoCloseable {
    private static final int SECONDS_TO_END = 60;

    private final Supplier<DitConfig> config;
    private final Checkpoint weights;
    private final Supplier<VaeConfig> vaeConfig;
    private final Checkpoint vaeWeights;

    private @Nullable ForkJoinPool threads;
    private @Nullable Future<Map<String, String>> made;

    /** Of checkpoints that can be read until this is closed; sizes are asked for when it begins. */
    public Fingerprints(
            Supplier<DitConfig> config, Checkpoint weights, Supplier<VaeConfig> vaeConfig, Checkpoint vaeWeights) {
        this.config = config;
        this.weights = weights;
        this.vaeConfig = vaeConfig;
        this.vaeWeights = vaeWeights;
    }

    /** Begins, unless it has begun, on one thread, which is not missed. */
    public Fingerprints begin() {
        made(1);
        return this;
    }

    private synchronized Future<Map<String, String>> made(int parallelism) {
        Future<Map<String, String>> begun = made;
        if (begun == null) {
            ForkJoinPool pool = new ForkJoinPool(parallelism);
            begun = pool.submit(this::make);
            threads = pool;
            made = begun;
        }
        return begun;
    }

    private Map<String, String> make() {
        Map<String, String> found = new LinkedHashMap<>(); // in this order, for files are compared
        found.put(PictureFacts.WEIGHTS, CheckpointFingerprint.of(weights, DitWeights.specs(config.get())));
        found.put(PictureFacts.VAE_WEIGHTS, CheckpointFingerprint.of(vaeWeights, VaeWeights.specs(vaeConfig.get())));
        return found;
    }

    /** By the names of {@link PictureFacts}; none where the files cannot be read any more, which is no reason to lose pictures. */
    public Map<String, String> await() {
        try {
            return made(1).get();
        } catch (ExecutionException e) {
            return Map.of();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Map.of();
        }
    }

    /**
     * As {@link #await}, for what cannot do without them; on all cores where they have not begun.
     *
     * @throws CheckpointException when a file is damaged, or cannot be read any more
     */
    public Map<String, String> require() {
        try {
            return made(Runtime.getRuntime().availableProcessors()).get();
        } catch (ExecutionException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof CheckpointException refused) {
                    throw refused;
                }
            }
            throw new CheckpointException(weights.path() + ": the weights cannot be read any more", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        }
    }

    @Override
    public void close() {
        ForkJoinPool pool;
        synchronized (this) {
            pool = threads;
        }
        if (pool == null) {
            return;
        }
        pool.shutdownNow();
        try {
            if (!pool.awaitTermination(SECONDS_TO_END, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the weights are still being read after " + SECONDS_TO_END + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
