package org.tornadodit.host;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/**
 * Runs work groups of one launch, one after the other, on the calling thread.
 *
 * <p>The first work item of a group runs in a coroutine. If it ends without waiting, so should the others, and they are
 * called one after the other. If it waits, all work items become coroutines that take turns: each runs until it waits,
 * for all others (a barrier), for its neighbours (an exchange) or for a condition, before any that waited goes on. The
 * order of turns is fixed, so results and failures repeat.
 */
final class WorkGroup {
    private final Kernel kernel;
    private final Object[] arguments;
    private final Function<WorkItem, KernelContext> contexts;
    private final LaunchGrid grid;
    private final boolean reversed;
    private final LocalMemory localMemory = new LocalMemory();
    private final GroupStates states = new GroupStates();
    private final HostWorkItem[] items;
    private final @Nullable Coroutine[] coroutines;
    private @Nullable Throwable failure;
    private final Function<Runnable, Coroutine> factory;
    private final Runnable beforeWaiting;
    private boolean stopping;

    /**
     * @param factory makes coroutines
     * @param beforeWaiting called before the thread waits for other groups or devices
     */
    WorkGroup(
            Kernel kernel,
            Object[] arguments,
            Function<WorkItem, KernelContext> contexts,
            LaunchGrid grid,
            boolean reversed,
            Function<Runnable, Coroutine> factory,
            Runnable beforeWaiting) {
        this.beforeWaiting = beforeWaiting;
        this.kernel = kernel;
        this.arguments = arguments;
        this.contexts = contexts;
        this.grid = grid;
        this.reversed = reversed;
        this.factory = factory;
        this.items = new HostWorkItem[grid.groupSize()];
        for (int i = 0; i < items.length; i++) {
            items[i] = new HostWorkItem(grid, localMemory, states, i);
        }
        this.coroutines = new Coroutine[items.length];
    }

    /** Runs group number {@code index}, x fastest. */
    void run(long index) {
        int x = (int) (index % grid.groups(0));
        int y = (int) (index / grid.groups(0) % grid.groups(1));
        int z = (int) (index / ((long) grid.groups(0) * grid.groups(1)));
        localMemory.reset();
        states.reset();
        int first = inOrder(0);
        items[first].start(x, y, z, coroutine(first));
        resume(first);
        // A group that keeps a state may let its first work item end and the others wait for each other.
        if (items[first].state == HostWorkItem.State.DONE && states.isEmpty()) {
            for (int i = 1; i < items.length; i++) {
                HostWorkItem item = items[inOrder(i)];
                item.start(x, y, z, null);
                call(item);
            }
            finish();
            return;
        }
        for (int i = 1; i < items.length; i++) {
            items[inOrder(i)].start(x, y, z, coroutine(inOrder(i)));
        }
        boolean allDone = false;
        while (!allDone) {
            for (int i = 0; i < items.length; i++) {
                if (items[inOrder(i)].state == HostWorkItem.State.READY) {
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
        for (HostWorkItem item : items) {
            done += item.state == HostWorkItem.State.DONE ? 1 : 0;
            waiting += item.state == HostWorkItem.State.AT_BARRIER ? 1 : 0;
        }
        if (done == items.length) {
            finish();
            return true;
        }
        if (waiting == items.length) {
            for (HostWorkItem item : items) {
                item.state = HostWorkItem.State.READY;
            }
            return false;
        }
        // Exchanges last, so that who waits for a condition runs ahead of them as far as it may.
        boolean released = fulfil() || exchange();
        while (!released) {
            if (!advance(GroupStates::advance) && !awaitOthers()) {
                throw deadlock(done);
            }
            released = fulfil();
        }
        return false;
    }

    private boolean awaitOthers() {
        beforeWaiting.run();
        return advance(GroupStates::awaitOthers);
    }

    private boolean advance(Predicate<GroupStates> how) {
        try {
            return how.test(states);
        } catch (RuntimeException e) {
            throw new WorkItemException(name(), e);
        }
    }

    private void finish() {
        try {
            states.finish();
        } catch (RuntimeException e) {
            throw new WorkItemException(name(), e);
        }
    }

    private String name() {
        return "group (" + items[0].groupId(0) + ", " + items[0].groupId(1) + ", " + items[0].groupId(2) + ")";
    }

    /** Releases those whose conditions hold. True if there was one. */
    private boolean fulfil() {
        boolean released = false;
        for (HostWorkItem item : items) {
            if (item.state == HostWorkItem.State.AWAITING
                    && Objects.requireNonNull(item.condition).getAsBoolean()) {
                item.state = HostWorkItem.State.READY;
                released = true;
            }
        }
        return released;
    }

    /** Performs the exchanges whose lanes have all come. True if there was one. */
    private boolean exchange() {
        boolean exchanged = false;
        for (int i = 0; i < items.length; i++) {
            if (items[i].state == HostWorkItem.State.AT_EXCHANGE && i % items[i].lanes == 0) {
                exchanged |= exchange(i, items[i].lanes);
            }
        }
        return exchanged;
    }

    /** Performs the exchange among {@code lanes} work items from {@code first} on, if all of them have come to it. */
    private boolean exchange(int first, int lanes) {
        if (first + lanes > items.length) {
            return false;
        }
        Object kind = items[first].exchange;
        Object[] values = new Object[lanes];
        for (int i = 0; i < lanes; i++) {
            HostWorkItem item = items[first + i];
            Object value = item.lane;
            if (item.state != HostWorkItem.State.AT_EXCHANGE
                    || value == null
                    || item.lanes != lanes
                    || !Objects.equals(item.exchange, kind)) {
                return false;
            }
            values[i] = value;
        }
        Object[] results;
        try {
            results = Objects.requireNonNull(items[first].combination).apply(values);
        } catch (RuntimeException e) {
            throw new WorkItemException(items[first], e);
        }
        for (int i = 0; i < lanes; i++) {
            items[first + i].lane = results[i];
            items[first + i].state = HostWorkItem.State.READY;
        }
        return true;
    }

    /** The error when nobody can go on: who waits for what, those with the same reason together. */
    private TornadoRuntimeException deadlock(int done) {
        Map<String, List<HostWorkItem>> waiting = new LinkedHashMap<>();
        for (HostWorkItem item : items) {
            if (item.state != HostWorkItem.State.DONE) {
                waiting.computeIfAbsent(item.reason.get(), reason -> new ArrayList<>())
                        .add(item);
            }
        }
        StringBuilder text = new StringBuilder("deadlock: of " + items.length + " work items " + done + " have ended");
        waiting.forEach((reason, who) -> text.append("; ")
                .append(who.size())
                .append(who.size() == 1 ? " waits for " : " wait for ")
                .append(reason)
                .append(", the first is ")
                .append(who.getFirst()));
        return new TornadoRuntimeException(text.toString());
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

    private void call(HostWorkItem item) {
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
        item.state = HostWorkItem.State.DONE;
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
