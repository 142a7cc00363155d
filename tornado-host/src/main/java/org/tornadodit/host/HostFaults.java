package org.tornadodit.host;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.exceptions.TornadoBailoutRuntimeException;
import uk.ac.manchester.tornado.api.exceptions.TornadoOutOfMemoryException;

/** Failures to order from a device, for tests of what has to survive them. */
public final class HostFaults {
    private final Map<String, AtomicLong> launches = new ConcurrentHashMap<>();
    private final Map<String, AtomicLong> compilations = new ConcurrentHashMap<>();
    private final AtomicLong allocations = new AtomicLong(-1);
    private final AtomicLong launchesToLoss = new AtomicLong(-1);
    private volatile @Nullable Runnable beforeLaunch;
    private volatile @Nullable Runnable beforeRelease;

    /** The {@code k}-th launch from now (the next one is 1) of task {@code graph.task} fails. */
    public void failLaunch(String task, int k) {
        launches.put(task, new AtomicLong(k));
    }

    /** The {@code k}-th allocation from now (the next one is 1) finds the device out of memory. */
    public void failAllocation(int k) {
        allocations.set(k);
    }

    /** The {@code k}-th compilation from now (the next one is 1) of task {@code graph.task} fails. */
    public void failCompilation(String task, int k) {
        compilations.put(task, new AtomicLong(k));
    }

    /**
     * The device is lost at the {@code k}-th launch from now (the next one is 1), as TornadoVM's PTX backend lets one be
     * lost: the driver's errors go to the log, nothing is thrown, launches do nothing, and copies to the host leave what
     * was there. Memory cannot be allocated any more.
     */
    public void lose(int k) {
        launchesToLoss.set(k);
    }

    /** Calls {@code action} before every launch, on the launching thread; it may throw, interrupt or wait. */
    public void beforeLaunch(Runnable action) {
        beforeLaunch = action;
    }

    /** Calls {@code action} before memory is given back, on the thread that does it. */
    public void beforeRelease(Runnable action) {
        beforeRelease = action;
    }

    /** A device that does nothing until this is closed. */
    public interface Hold extends AutoCloseable {
        @Override
        void close();
    }

    /** Has launches wait, on the launching threads: whoever is at work on the device stays so, however busy the machine is. */
    public Hold hold() {
        CompletableFuture<@Nullable Void> released = new CompletableFuture<>();
        beforeLaunch = released::join; // also of a thread that is interrupted
        return () -> {
            beforeLaunch = null;
            released.complete(null);
        };
    }

    /** Takes back all orders. */
    public void clear() {
        launches.clear();
        compilations.clear();
        allocations.set(-1);
        launchesToLoss.set(-1);
        beforeLaunch = null;
        beforeRelease = null;
    }

    void onRelease() {
        Runnable action = beforeRelease;
        if (action != null) {
            action.run();
        }
    }

    void onLaunch(String task) {
        launchesToLoss.updateAndGet(left -> left > 0 ? left - 1 : left);
        Runnable action = beforeLaunch;
        if (action != null) {
            action.run();
        }
        AtomicLong left = launches.get(task);
        if (left != null && left.decrementAndGet() == 0) {
            launches.remove(task);
            throw new TornadoBailoutRuntimeException("injected failure: launch of " + task);
        }
    }

    void onCompilation(String task) {
        AtomicLong left = compilations.get(task);
        if (left != null && left.decrementAndGet() == 0) {
            compilations.remove(task);
            throw new TornadoBailoutRuntimeException("injected failure: compilation of " + task);
        }
    }

    boolean isLost() {
        return launchesToLoss.get() == 0;
    }

    void onAllocation(long bytes, String name) {
        if (isLost()) {
            throw new TornadoOutOfMemoryException("the device is lost: allocation of " + bytes + " bytes for " + name);
        }
        if (allocations.get() > 0 && allocations.decrementAndGet() == 0) {
            throw new TornadoOutOfMemoryException("injected failure: allocation of " + bytes + " bytes for " + name);
        }
    }
}
