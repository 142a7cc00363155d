package org.tornadodit.host;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/** Runs tasks: loops marked as parallel once and in order, kernels with a context group by group on all cores. */
final class Launcher {
    private final Function<WorkItem, KernelContext> contexts;

    /** @param contexts makes the context that a work item sees */
    Launcher(Function<WorkItem, KernelContext> contexts) {
        this.contexts = contexts;
    }

    /** Runs {@code task} with the device's arrays in place of the host's. */
    void launch(TaskDefinition task, Object[] deviceArguments, @Nullable WorkerGrid grid) {
        try {
            if (!task.usesContext()) {
                task.kernel().run(deviceArguments);
                return;
            }
            if (grid == null) {
                throw new TornadoRuntimeException("the task takes a KernelContext and has no WorkerGrid: add one to the"
                        + " GridScheduler under the name " + task.name());
            }
            LaunchGrid launch = LaunchGrid.of(task.name(), grid);
            runGroups(
                    beforeWaiting -> new WorkGroup(
                            task.kernel(),
                            deviceArguments,
                            contexts,
                            launch,
                            HostRuntime.get().order() == HostRuntime.Order.REVERSE,
                            Coroutine::of,
                            beforeWaiting),
                    launch.groupCount());
        } catch (RuntimeException e) {
            throw new TaskException(task.name(), e);
        }
    }

    /** A group that waits for others does not keep those that have not begun from beginning: on a GPU they are resident. */
    private static void runGroups(Function<Runnable, WorkGroup> factory, long groups) {
        AtomicLong next = new AtomicLong();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        int workers = (int) Math.min(groups, Runtime.getRuntime().availableProcessors());
        Coroutine.Runs runs = Coroutine.runs();
        Runnable[] self = new Runnable[1];
        Runnable another = () -> {
            if (next.get() < groups) {
                runs.begin(self[0]);
            }
        };
        self[0] = () -> {
            WorkGroup group = factory.apply(another);
            try {
                for (long g = next.getAndIncrement(); g < groups && failure.get() == null; g = next.getAndIncrement()) {
                    group.run(g);
                }
            } catch (RuntimeException | Error e) {
                failure.compareAndSet(null, e);
            } finally {
                group.close();
            }
        };
        runs.run(workers, self[0]);
        Throwable thrown = failure.get();
        if (thrown instanceof Error error) {
            throw error;
        }
        if (thrown != null) {
            throw (RuntimeException) thrown;
        }
    }

    /** A failure of a task, with the task's name in front. */
    private static final class TaskException extends TornadoRuntimeException {
        private static final long serialVersionUID = 1L;

        TaskException(String task, RuntimeException cause) {
            super("task " + task + ": "
                    + (cause instanceof TornadoRuntimeException ? cause.getMessage() : cause.toString()));
            initCause(cause);
        }
    }
}
