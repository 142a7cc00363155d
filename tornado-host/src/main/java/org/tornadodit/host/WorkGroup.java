package org.tornadodit.host;

import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/**
 * Runs work groups of one launch, one after the other, on the calling thread.
 *
 * <p>The first work item of a group runs in a coroutine. If it ends without waiting, so should the others, and they are
 * called one after the other. If it waits, all work items become coroutines that take turns: each runs up to its next
 * barrier before any goes beyond. The order of turns is fixed, so results and failures repeat.
 */
final class WorkGroup {
    /** Lanes of a warp. */
    private static final int WARP = 32;

    private final Kernel kernel;
    private final Object[] arguments;
    private final Function<WorkItem, KernelContext> contexts;
    private final LaunchGrid grid;
    private final boolean reversed;
    private final LocalMemory localMemory = new LocalMemory();
    private final WorkItem[] items;
    private final @Nullable Coroutine[] coroutines;
    private @Nullable Throwable failure;
    private final Function<Runnable, Coroutine> factory;
    private boolean stopping;

    /** @param factory makes coroutines */
    WorkGroup(
            Kernel kernel,
            Object[] arguments,
            Function<WorkItem, KernelContext> contexts,
            LaunchGrid grid,
            boolean reversed,
            Function<Runnable, Coroutine> factory) {
        this.kernel = kernel;
        this.arguments = arguments;
        this.contexts = contexts;
        this.grid = grid;
        this.reversed = reversed;
        this.factory = factory;
        this.items = new WorkItem[grid.groupSize()];
        for (int i = 0; i < items.length; i++) {
            items[i] = new WorkItem(grid, localMemory, i);
        }
        this.coroutines = new Coroutine[items.length];
    }

    /** Runs group number {@code index}, x fastest. */
    void run(long index) {
        int x = (int) (index % grid.groups(0));
        int y = (int) (index / grid.groups(0) % grid.groups(1));
        int z = (int) (index / ((long) grid.groups(0) * grid.groups(1)));
        localMemory.reset();
        int first = inOrder(0);
        items[first].start(x, y, z, coroutine(first));
        resume(first);
        if (items[first].state == WorkItem.State.DONE) {
            for (int i = 1; i < items.length; i++) {
                WorkItem item = items[inOrder(i)];
                item.start(x, y, z, null);
                call(item);
            }
            return;
        }
        for (int i = 1; i < items.length; i++) {
            items[inOrder(i)].start(x, y, z, coroutine(inOrder(i)));
        }
        boolean allDone = false;
        while (!allDone) {
            for (int i = 0; i < items.length; i++) {
                if (items[inOrder(i)].state == WorkItem.State.READY) {
                    resume(inOrder(i));
                }
            }
            allDone = release();
        }
    }

    private int inOrder(int i) {
        return reversed ? items.length - 1 - i : i;
    }

    /** Lets go on whoever has nobody left to wait for. True when all work items have ended. */
    private boolean release() {
        int done = 0;
        int waiting = 0;
        for (WorkItem item : items) {
            done += item.state == WorkItem.State.DONE ? 1 : 0;
            waiting += item.state == WorkItem.State.AT_BARRIER ? 1 : 0;
        }
        if (done == items.length) {
            return true;
        }
        if (waiting == items.length) {
            for (WorkItem item : items) {
                item.state = WorkItem.State.READY;
            }
            return false;
        }
        boolean exchanged = false;
        for (int w = 0; w < items.length; w += WARP) {
            exchanged |= exchange(w);
        }
        if (!exchanged) {
            throw divergence(done, waiting);
        }
        return false;
    }

    /** Performs the shuffle of the warp that starts at work item {@code w}, if all its lanes have come to it. */
    private boolean exchange(int w) {
        if (w + WARP > items.length) {
            return false;
        }
        Object kind = items[w].shuffle;
        Object[] values = new Object[WARP];
        for (int i = 0; i < WARP; i++) {
            WorkItem item = items[w + i];
            Object value = item.lane;
            if (item.state != WorkItem.State.AT_SHUFFLE || value == null || !Objects.equals(item.shuffle, kind)) {
                return false;
            }
            values[i] = value;
        }
        Object[] results = Objects.requireNonNull(items[w].combination).apply(values);
        for (int i = 0; i < WARP; i++) {
            items[w + i].lane = results[i];
            items[w + i].state = WorkItem.State.READY;
        }
        return true;
    }

    private TornadoRuntimeException divergence(int done, int waiting) {
        WorkItem ended = null;
        WorkItem stuck = null;
        for (WorkItem item : items) {
            ended = item.state == WorkItem.State.DONE ? item : ended;
            stuck = item.state != WorkItem.State.DONE && stuck == null ? item : stuck;
        }
        return new TornadoRuntimeException("divergent barrier: of " + items.length + " work items " + done
                + " have ended, " + waiting + " wait at a barrier and " + (items.length - done - waiting)
                + " at a warp shuffle (all 32 lanes have to make the same one)"
                + (ended == null ? "" : "; ended: " + ended) + (stuck == null ? "" : "; waiting: " + stuck));
    }

    private Coroutine coroutine(int i) {
        Coroutine existing = coroutines[i];
        if (existing != null) {
            return existing;
        }
        Coroutine[] self = new Coroutine[1];
        self[0] = factory.apply(() -> {
            while (!stopping) {
                try {
                    call(items[i]);
                } catch (Throwable e) {
                    failure = e;
                }
                if (stopping) {
                    return;
                }
                self[0].suspend();
            }
        });
        coroutines[i] = self[0];
        return self[0];
    }

    private void resume(int i) {
        items[i].enter();
        coroutine(i).resume();
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            if (thrown instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) thrown;
        }
    }

    private void call(WorkItem item) {
        Object[] own = arguments.clone();
        for (int i = 0; i < own.length; i++) {
            if (own[i] instanceof KernelContext) {
                own[i] = contexts.apply(item);
            }
        }
        item.enter();
        try {
            kernel.run(own);
        } catch (RuntimeException e) {
            throw new WorkItemException(item, e);
        }
        item.state = WorkItem.State.DONE;
    }

    /** Ends the coroutines, those in the middle of a kernel too. */
    void close() {
        WorkItem.leave();
        stopping = true;
        for (int i = 0; i < coroutines.length; i++) {
            Coroutine coroutine = coroutines[i];
            if (coroutine != null && coroutine.hasStarted()) {
                items[i].abandoned = true;
                coroutine.resume();
            }
        }
    }
}
