package org.tornadodit.pipeline;

import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.pipeline.setup.BatchLoop;
import org.tornadodit.pipeline.setup.Fingerprints;
import org.tornadodit.pipeline.setup.WeightFiles;
import org.tornadodit.scheduler.engine.Engine;

/** An engine that several threads use at a time, until it is closed. Owns the weights' files. */
final class SharedEngine implements AutoCloseable {
    /** Portions of images that are in memory at a time, as {@link org.tornadodit.pipeline.setup.HeapNeed} counts them. */
    private static final int DECODED = 2;

    private final Engine engine;
    private final Checkpoint weights;
    private final Checkpoint vaeWeights;
    private final Fingerprints fingerprints;
    /** What the engine reads while it computes: devices have copies of the weights. */
    private final WeightFiles used;

    private final Semaphore decoding = new Semaphore(DECODED, true);
    /** Read by whoever uses the engine, written by who closes it. */
    private final ReentrantReadWriteLock open = new ReentrantReadWriteLock();

    private volatile boolean closed;
    private boolean released;

    /** @param fingerprints of the weights, which it owns too */
    SharedEngine(Engine engine, Checkpoint weights, Checkpoint vaeWeights, Fingerprints fingerprints, boolean cpu) {
        this.engine = engine;
        this.weights = weights;
        this.vaeWeights = vaeWeights;
        this.fingerprints = fingerprints;
        this.used = cpu ? WeightFiles.of(weights, vaeWeights) : WeightFiles.of();
    }

    String description() {
        return engine.description();
    }

    /** What tells the weights from others. */
    Map<String, String> fingerprints() {
        return fingerprints.await();
    }

    /**
     * Does some work with the engine, beside others.
     *
     * @throws IllegalStateException when the pipeline is closed
     */
    <T> T use(Supplier<T> work) {
        // Not lock(), in which a listener's request would stand behind close(), which waits for that listener's own.
        // Only close() takes the write lock, after it has set the flag: who does not get this one has come too late.
        if (!open.readLock().tryLock()) {
            throw closedAlready();
        }
        try {
            if (closed) {
                throw closedAlready();
            }
            return work.get();
        } finally {
            open.readLock().unlock();
        }
    }

    private static IllegalStateException closedAlready() {
        return new IllegalStateException("the pipeline is closed");
    }

    /** Samples batches, within {@link #use}. */
    BatchLoop batches(int perSample) {
        return new BatchLoop(engine, used, perSample);
    }

    /**
     * Decodes some images and makes something of them, within {@link #use}.
     *
     * @throws CancellationException when the thread is interrupted while others decode
     */
    <T> T decode(Function<Engine, T> work) {
        try {
            decoding.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted before it was decoded");
        }
        try {
            return used.read(() -> work.apply(engine));
        } finally {
            decoding.release();
        }
    }

    boolean isClosed() {
        return closed;
    }

    /**
     * Ends what is at work after its step, and what waits; then releases the engine and the files.
     *
     * @throws IllegalStateException when a listener asks
     */
    @Override
    public void close() {
        if (open.getReadHoldCount() > 0) {
            throw new IllegalStateException(
                    "a listener cannot close the pipeline, which waits for its request; take another thread, or"
                            + " cancel()");
        }
        closed = true;
        // An interrupted thread, as after a cancelled request, would not wait until devices have given their memory
        // back.
        boolean interrupted = Thread.interrupted();
        try {
            release();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private synchronized void release() {
        if (released) {
            return;
        }
        released = true;
        try (weights;
                vaeWeights;
                fingerprints) {
            engine.close();
            open.writeLock().lock(); // until the callers have seen it
            open.writeLock().unlock();
        }
    }
}
