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
            new Groups(
                            beforeWaiting -> new WorkGroup(
                                    task.kernel(),
                                    deviceArguments,
                                    contexts,
                                    launch,
                                    HostRuntime.get().order() == HostRuntime.Order.REVERSE,
                                    Coroutine::of,
                                    beforeWaiting),
                            launch.groupCount())
                    .runAll();
        } catch (RuntimeException e) {
            throw new TaskException(task.name(), e);
        }
    }

    /**
     * The groups of a launch, one after the other on each thread that runs this. One that waits for others does not keep those that have
     * not begun from beginning: on a GPU they are resident.
     */
    private static final class Groups implements Runnable {
        private final Function<Runnable, WorkGroup> factory;
        private final long count;
        private final Coroutine.Runs runs = Coroutine.runs();
        private final AtomicLong next = new AtomicLong();
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

        /** @param factory takes what is to be called before a group waits for others */
        Groups(Function<Runnable, WorkGroup> factory, long count) {
            this.factory = factory;
            this.count = count;
        }

        void runAll() {
            runs.run((int) Math.min(count, Runtime.getRuntime().availableProcessors()), this);
            Throwable thrown = failure.get();
            if (thrown instanceof Error error) {
                throw error;
            }
            if (thrown != null) {
                throw (RuntimeException) thrown;
            }
        }

        @Override
        public void run() {
            WorkGroup group = factory.apply(this::runOnAnotherThread);
            try {
                for (long g = next.getAndIncrement(); g < count && failure.get() == null; g = next.getAndIncrement()) {
                    group.run(g);
                }
            } catch (RuntimeException | Error e) {
                failure.compareAndSet(null, e);
            } finally {
                group.close();
            }
        }

        private void runOnAnotherThread() {
            if (next.get() < count) {
                runs.begin(this);
            }
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
