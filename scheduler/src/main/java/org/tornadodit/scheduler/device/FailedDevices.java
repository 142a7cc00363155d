package org.tornadodit.scheduler.device;

import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * GPUs that failed in this process, which nothing touches again. After an error that sticks to a CUDA context, such as a
 * kernel that trapped, freeing memory and destroying events or the context fails too, and can crash the process within the
 * driver. TornadoVM notices none of this, so a failed device's plans are left as they are; the driver frees what they hold
 * at the end of the process, which must not destroy the contexts either: see {@link #any}.
 */
public final class FailedDevices {
    /** By index; what was running there is kept, for the driver has its arrays pinned and may still copy into them. */
    private static final Map<Integer, Queue<Object>> FAILED = new ConcurrentHashMap<>();

    private FailedDevices() {}

    /**
     * Leaves a device that failed as it is. Other backends forget it: their objects hold no sticky errors.
     *
     * @param held what must not be collected as garbage
     */
    public static void leave(ListedDevice device, Object... held) {
        if (device.backend().equals("PTX")) {
            Queue<Object> kept = FAILED.computeIfAbsent(device.index(), any -> new ConcurrentLinkedQueue<>());
            for (Object each : held) {
                kept.add(each);
            }
        }
    }

    public static boolean contains(ListedDevice device) {
        return FAILED.containsKey(device.index());
    }

    /** Whether one failed, so that the process has to halt without TornadoVM's shutdown hook, which destroys contexts. */
    public static boolean any() {
        return !FAILED.isEmpty();
    }
}
