package org.tornadodit.scheduler.device;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.tornadodit.kernels.ptx.LaunchRecorder;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Stands for a device that records launches, in all tests of this module: it keeps them, and runs them again. */
public final class RerunningRecorder implements LaunchRecorder {
    public static final AtomicInteger RECORDED = new AtomicInteger();
    public static final AtomicInteger RUN = new AtomicInteger();
    static volatile boolean refuses;

    /** As at the beginning. */
    public static void renew() {
        refuses = false;
        RECORDED.set(0);
        RUN.set(0);
    }

    @Override
    public Optional<Recording> record(TornadoExecutionPlan plan, TornadoDevice device, Runnable executions) {
        if (refuses) {
            return Optional.empty();
        }
        RECORDED.incrementAndGet();
        return Optional.of(new Recording() {
            @Override
            public void run(Runnable meanwhile) {
                RUN.incrementAndGet();
                executions.run();
                meanwhile.run();
            }

            @Override
            public void close() {}
        });
    }
}
