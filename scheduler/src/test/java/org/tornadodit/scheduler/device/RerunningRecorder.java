package org.tornadodit.scheduler.device;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.tornadodit.kernels.ptx.LaunchRecorder;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Stands for a device that records launches, in all tests of this module: it keeps them, and runs them again. */
public final class RerunningRecorder implements LaunchRecorder {
    public static final AtomicInteger RECORDED = new AtomicInteger();
    public static final AtomicInteger RUN = new AtomicInteger();
    /** The most launches of a recording that nobody had waited for. */
    public static final AtomicInteger MOST_UNDER_WAY = new AtomicInteger();

    static volatile boolean refuses;

    /** As at the beginning. */
    public static void renew() {
        refuses = false;
        RECORDED.set(0);
        RUN.set(0);
        MOST_UNDER_WAY.set(0);
    }

    @Override
    public Optional<Recording> record(
            TornadoExecutionPlan plan, TornadoDevice device, Runnable executions, Ahead ahead) {
        if (refuses) {
            return Optional.empty();
        }
        RECORDED.incrementAndGet();
        return Optional.of(new Recording() {
            // What launches that were not waited for return, which the host is not to see before.
            private final Deque<List<byte[]>> returned = new ArrayDeque<>();

            @Override
            public int depth() {
                return ahead.depth();
            }

            @Override
            public void launch() {
                if (returned.size() == ahead.depth()) {
                    throw new IllegalStateException("more than " + ahead.depth() + " launches");
                }
                RUN.incrementAndGet();
                if (ahead.depth() == 1) {
                    return; // as if the device were slow: while one waits for it
                }
                List<byte[]> before = bytes();
                executions.run();
                returned.add(bytes());
                MOST_UNDER_WAY.accumulateAndGet(returned.size(), Math::max);
                set(before);
            }

            @Override
            public void await() {
                if (ahead.depth() == 1) {
                    executions.run();
                    return;
                }
                set(returned.remove());
            }

            private List<byte[]> bytes() {
                return ahead.returned().stream()
                        .map(array -> array.getSegment().toArray(ValueLayout.JAVA_BYTE))
                        .toList();
            }

            private void set(List<byte[]> values) {
                for (int i = 0; i < values.size(); i++) {
                    MemorySegment.copy(
                            values.get(i),
                            0,
                            ahead.returned().get(i).getSegment(),
                            ValueLayout.JAVA_BYTE,
                            0,
                            values.get(i).length);
                }
            }

            @Override
            public void close() {}
        });
    }
}
