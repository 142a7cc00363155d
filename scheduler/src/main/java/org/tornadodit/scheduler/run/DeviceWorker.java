package org.tornadodit.scheduler.run;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.device.FailedDevices;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.plan.ShardPlan.Shard;

/** A crew at work, with a thread of its own: TornadoVM wants all of a plan's calls from one thread. */
final class DeviceWorker {
    private static final Logger LOG = System.getLogger(DeviceWorker.class.getName());

    /** A device that is lost may never answer. */
    private static final int CLOSE_SECONDS = 10;

    private final Shard shard;
    private final List<ListedDevice> devices;
    private final ExecutorService thread;
    private volatile @Nullable Crew crew;
    private volatile boolean failed;

    /** @param shard which samples it is to do, as long as no device fails */
    DeviceWorker(Shard shard, List<ListedDevice> devices) {
        this.shard = shard;
        this.devices = List.copyOf(devices);
        this.thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("device-" + device().index()).factory());
    }

    /** Makes the crew, on the worker's thread; the future ends with what that ends with. */
    Future<?> load(Supplier<Crew> making) {
        return thread.submit((Runnable) () -> {
            for (ListedDevice device : devices) {
                if (FailedDevices.contains(device)) {
                    throw new IllegalStateException("it failed before, in this process");
                }
            }
            crew = making.get();
        });
    }

    Shard shard() {
        return shard;
    }

    /** The first of the crew. */
    ListedDevice device() {
        return devices.getFirst();
    }

    /** Most samples at a time. */
    int capacity() {
        return shard.count();
    }

    Crew crew() {
        Crew made = crew;
        if (made == null) {
            throw new IllegalStateException("no engine on device " + device());
        }
        return made;
    }

    boolean failed() {
        return failed;
    }

    /** From here on nothing of the device is freed, reset or waited for: see {@link FailedDevices}. */
    void markFailed() {
        failed = true;
        Crew made = crew;
        crew = null;
        devices.forEach(FailedDevices::leave);
        if (made != null) {
            made.abandon();
        }
    }

    <T> Future<T> submit(Callable<T> task) {
        return thread.submit(task);
    }

    /** Without a future. */
    void execute(Runnable task) {
        thread.execute(task);
    }

    /** Releases the device's memory, unless it failed, behind what it was given to do; also on a thread that is interrupted. */
    void close() {
        Crew made = crew;
        if (made != null) {
            Callable<Void> release = () -> {
                crew = null; // here: what the thread was given before still has it
                made.close();
                return null;
            };
            awaitRelease(thread.submit(release));
        }
        for (Runnable undone : thread.shutdownNow()) {
            if (undone instanceof Future<?> future) {
                future.cancel(false); // somebody waits for it
            }
        }
    }

    private void awaitRelease(Future<?> release) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(CLOSE_SECONDS);
        boolean interrupted = false;
        boolean waiting = true;
        while (waiting) {
            try {
                release.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
                waiting = false;
            } catch (ExecutionException | TimeoutException e) {
                LOG.log(Level.WARNING, "device " + device() + " was not released", e);
                waiting = false;
            } catch (InterruptedException e) {
                interrupted = true; // for the caller; what is not begun yet would be left out
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    static <T> T await(Future<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof RuntimeException failure) {
                throw failure;
            }
            if (cause instanceof Error failure) {
                throw failure;
            }
            throw new IllegalStateException(cause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        }
    }
}
