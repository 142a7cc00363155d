package org.tornadodit.serve.api;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.tornadodit.pipeline.Progress;

/**
 * The requests that are here: admitted up to a bound, in the order in which they came. The engine gives places in that order,
 * sample by sample; a request of more pictures than the largest batch queues again for each of its batches, behind those that
 * came meanwhile, so that it cannot keep others out. Thread safe.
 */
public final class Generations {
    private static final int LONGEST_RETRY = 60;

    /** Weight of the newest request in the mean of their times. */
    private static final double NEWEST = 0.2;

    private final ServedModel model;
    private final Metrics metrics;
    private final Set<Generation> active = new LinkedHashSet<>();
    /** Those of {@link #active} that have done no step. */
    private final Set<Generation> waiting = new LinkedHashSet<>();

    private boolean stopping;
    private double meanSeconds = 1;

    public Generations(ServedModel model, Metrics metrics) {
        this.model = model;
        this.metrics = metrics;
        metrics.gauge("dit_requests_running", "Requests that have begun.", this::running);
        metrics.gauge("dit_requests_waiting", "Requests that have not begun.", this::waiting);
    }

    /**
     * Admits a request and begins to sample.
     *
     * @throws Refusal when as many are here as may, or the server is stopping
     */
    public Generation begin(GenerationBody body) {
        Generation one = new Generation(body, model.timeoutSeconds());
        synchronized (this) {
            if (stopping) {
                throw Refusal.later(503, "stopping", "the server is stopping", 1);
            }
            if (active.size() >= model.maxActive()) {
                throw Refusal.later(
                        429,
                        "queue_full",
                        "%d requests are here already, as many as may; try again later".formatted(active.size()),
                        retryAfter());
            }
            active.add(one);
            waiting.add(one);
        }
        try {
            one.start(model.pipeline(), step -> stepped(one, step), outcome -> ended(one, outcome));
        } catch (RuntimeException | Error failure) { // of a pipeline that is closed; no thread
            ended(one, "failed");
            throw failure;
        }
        return one;
    }

    /** About when a place in the queue is free: what a request takes, shared by those of a batch. */
    private int retryAfter() {
        return Math.clamp(Math.round(meanSeconds / model.pipeline().maxBatch()), 1, LONGEST_RETRY);
    }

    private void stepped(Generation one, Progress step) {
        int most = model.pipeline().maxBatch();
        int before = (step.batch() - 1) * most;
        metrics.stepped(Math.min(one.body().request().pictures() - before, most));
        synchronized (this) {
            waiting.remove(one);
        }
    }

    private void ended(Generation one, String outcome) {
        double seconds = one.seconds();
        metrics.ended(outcome, outcome.equals("done") ? one.body().request().pictures() : 0, seconds);
        synchronized (this) {
            waiting.remove(one);
            active.remove(one);
            if (outcome.equals("done")) {
                meanSeconds += NEWEST * (seconds - meanSeconds);
            }
            notifyAll();
        }
    }

    /** Requests that came before this one and have not begun; 0 where it has begun itself. */
    public synchronized int ahead(Generation one) {
        if (!waiting.contains(one)) {
            return 0;
        }
        int before = 0;
        for (Generation other : waiting) {
            if (other == one) {
                break;
            }
            before++;
        }
        return before;
    }

    /** Requests that have begun. */
    public synchronized int running() {
        return active.size() - waiting.size();
    }

    /** Requests that have not begun. */
    public synchronized int waiting() {
        return waiting.size();
    }

    public synchronized boolean isStopping() {
        return stopping;
    }

    /**
     * From now on refuses requests. Waits until none is here; cancels those that are after so long.
     *
     * @return how many had to be cancelled
     */
    public int drain(Duration patience) throws InterruptedException {
        List<Generation> left;
        synchronized (this) {
            stopping = true;
            awaitNone(patience);
            left = new ArrayList<>(active);
        }
        left.forEach(one -> one.cancel("stopping"));
        synchronized (this) {
            awaitNone(Duration.ofSeconds(10)); // a step of a large batch
        }
        return left.size();
    }

    private void awaitNone(Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (!active.isEmpty()) {
            long millis = (end - System.nanoTime()) / 1_000_000;
            if (millis <= 0) {
                return;
            }
            wait(millis);
        }
    }
}
