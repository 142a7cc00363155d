package org.tornadodit.kernels.ptx;

/**
 * Launching without waiting. TornadoVM waits for the device at the end of every task graph, so that the GPU idles until the
 * next graph's first launch. Graphs that neither send nor return anything need not wait: the device runs them in order.
 *
 * <p>Needs {@link Installation}; without it the graphs wait as ever.
 */
public final class LaunchAhead {
    private static final ThreadLocal<Boolean> ACTIVE = ThreadLocal.withInitial(() -> false);

    private LaunchAhead() {}

    /**
     * Executes graphs on the calling thread without waiting for their tasks. Until an execution outside of this has returned,
     * no host array that they send may be changed, and none that they return be read.
     */
    public static void run(Runnable executions) {
        ACTIVE.set(true);
        try {
            executions.run();
        } finally {
            ACTIVE.set(false);
        }
    }

    /** Whether the calling thread is in {@link #run}. */
    public static boolean active() {
        return ACTIVE.get();
    }
}
