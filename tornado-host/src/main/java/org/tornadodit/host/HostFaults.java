package org.tornadodit.host;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.exceptions.TornadoBailoutRuntimeException;
import uk.ac.manchester.tornado.api.exceptions.TornadoOutOfMemoryException;

/** Failures to order from a device, for tests of what has to survive them. */
public final class HostFaults {
    private final Map<String, AtomicLong> launches = new ConcurrentHashMap<>();
    private final AtomicLong allocations = new AtomicLong(-1);
    private volatile @Nullable Runnable beforeLaunch;

    /** The {@code k}-th launch from now (the next one is 1) of task {@code graph.task} fails. */
    public void failLaunch(String task, int k) {
        launches.put(task, new AtomicLong(k));
    }

    /** The {@code k}-th allocation from now (the next one is 1) finds the device out of memory. */
    public void failAllocation(int k) {
        allocations.set(k);
    }

    /** Calls {@code action} before every launch, on the launching thread; it may throw, interrupt or wait. */
    public void beforeLaunch(Runnable action) {
        beforeLaunch = action;
    }

    /** Takes back all orders. */
    public void clear() {
        launches.clear();
        allocations.set(-1);
        beforeLaunch = null;
    }

    void onLaunch(String task) {
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

    void onAllocation(long bytes, String name) {
        if (allocations.get() > 0 && allocations.decrementAndGet() == 0) {
            throw new TornadoOutOfMemoryException("injected failure: allocation of " + bytes + " bytes for " + name);
        }
    }
}
