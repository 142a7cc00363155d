package org.tornadodit.kernels.ptx;

import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/**
 * Records what a plan has a device do, to have it done again by one call: what TornadoVM does on the host for each launch,
 * and the events that it puts between them, are left out. Implemented by the module tornado-ptx.
 */
public interface LaunchRecorder {

    /**
     * Records instead of running.
     *
     * @param plan all of whose executions have run before
     * @param device of the plan
     * @param executions of the plan's graphs; what they copy is copied anew at each {@link Recording#run}, from the same
     *     places to the same places
     * @return empty where that cannot be recorded: then nothing has run either
     */
    Optional<Recording> record(TornadoExecutionPlan plan, TornadoDevice device, Runnable executions);

    /** What is on the class path; without tornado-ptx nothing can be recorded. */
    static LaunchRecorder onClassPath() {
        return Found.RECORDER;
    }

    /** Looked for once. */
    final class Found {
        private static final LaunchRecorder RECORDER = first(PtxService.all(LaunchRecorder.class));

        private static LaunchRecorder first(List<LaunchRecorder> recorders) {
            return (plan, device, executions) -> recorders.stream()
                    .flatMap(recorder -> recorder.record(plan, device, executions).stream())
                    .findFirst();
        }

        private Found() {}
    }

    /** Launches and copies in their order. */
    interface Recording extends AutoCloseable {

        /**
         * Has the device do it all, and waits.
         *
         * @param meanwhile what the host does before it waits: nothing that the device must be done for, or that changes what it copies
         * @throws IllegalStateException when the device cannot
         */
        void run(Runnable meanwhile);

        @Override
        void close();
    }
}
