package org.tornadodit.scheduler.device;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.tornadodit.kernels.ptx.LaunchRecorder;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Stands for a device that records launches, in all tests of this module: it keeps them, and runs them again. */
public final class RerunningRecorder implements LaunchRecorder {
    static final AtomicInteger RECORDED = new AtomicInteger();
    static final AtomicInteger RUN = new AtomicInteger();
    static volatile boolean refuses;

    @Override
    public Optional<Recording> record(TornadoExecutionPlan plan, TornadoDevice device, Runnable executions) {
        if (refuses) {
            return Optional.empty();
        }
        RECORDED.incrementAndGet();
        executions.run(); // TornadoVM's side of it; the first run below has its effect already
        return Optional.of(new Recording() {
            private boolean ran = true;

            @Override
            public void run() {
                RUN.incrementAndGet();
                if (!ran) {
                    executions.run();
                }
                ran = false;
            }

            @Override
            public void close() {}
        });
    }
}
