package org.tornadodit.pipeline;

import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.pipeline.setup.WeightFiles;
import org.tornadodit.scheduler.engine.Engine;

/** An engine that several threads use, one after the other in the order in which they came. Owns the weights' files. */
final class EngineQueue implements AutoCloseable {
    private final Engine engine;
    private final Checkpoint weights;
    private final Checkpoint vaeWeights;
    /** What the engine reads while it computes: devices have copies of the weights. */
    private final WeightFiles used;

    private final ReentrantLock turn = new ReentrantLock(true);
    private volatile boolean closed;
    private boolean released;
    /** The thread on which a listener is being told; it holds the engine up, so it cannot wait for its turn. */
    private volatile @Nullable Thread listening;

    EngineQueue(Engine engine, Checkpoint weights, Checkpoint vaeWeights, boolean cpu) {
        this.engine = engine;
        this.weights = weights;
        this.vaeWeights = vaeWeights;
        this.used = cpu ? WeightFiles.of(weights, vaeWeights) : WeightFiles.of();
    }

    String description() {
        return engine.description();
    }

    /**
     * Gives the engine to some work, when it is its turn.
     *
     * @throws CancellationException when the thread is interrupted while it waits
     * @throws IllegalStateException when the pipeline is closed, or a listener asks
     */
    <T> T take(Function<Engine, T> work) {
        requireNoListener();
        try {
            turn.lockInterruptibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted before its turn came");
        }
        try {
            if (closed) {
                throw new IllegalStateException("the pipeline is closed");
            }
            return used.read(() -> work.apply(engine));
        } finally {
            turn.unlock();
        }
    }

    /** Tells a listener, within the work that has the engine. */
    void tell(Runnable telling) {
        listening = Thread.currentThread();
        try {
            telling.run();
        } finally {
            listening = null;
        }
    }

    boolean isClosed() {
        return closed;
    }

    private void requireNoListener() {
        if (Thread.currentThread() == listening) {
            throw new IllegalStateException(
                    "a listener cannot sample, decode or close: it holds the engine up; take another thread, or"
                            + " cancel()");
        }
    }

    /** Ends what is at work after its step, and what waits; then releases the engine and the files. */
    @Override
    public void close() {
        requireNoListener();
        closed = true;
        // An interrupted thread, as after a cancelled request, would not wait until devices have given their memory
        // back.
        boolean interrupted = Thread.interrupted();
        turn.lock();
        try (weights;
                vaeWeights) {
            if (!released) {
                released = true;
                engine.close();
            }
        } finally {
            turn.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
