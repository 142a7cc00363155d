package org.tornadodit.kernels.ptx;

import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

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
     * @param executions of the plan's graphs; what they copy is copied anew at each {@link Recording#launch}, from the same
     *     places to the same places
     * @param ahead what is to hold of launches that are given to the device before those in front of them are done
     * @return empty where that cannot be recorded: then nothing has run either
     */
    Optional<Recording> record(TornadoExecutionPlan plan, TornadoDevice device, Runnable executions, Ahead ahead);

    /**
     * Launches that are given to a device ahead: each copies what the host had when it was given, and what it returns is on the
     * host only once it was waited for.
     *
     * @param depth launches that may be under way at once
     * @param returned all arrays that the executions copy to the host; of no matter with a depth of 1
     */
    record Ahead(int depth, List<TornadoNativeArray> returned) {
        /** One at a time, whose copies need no memory of their own. */
        public static final Ahead NONE = new Ahead(1, List.of());

        public Ahead {
            returned = List.copyOf(returned);
        }
    }

    /** What is on the class path; without tornado-ptx nothing can be recorded. */
    static LaunchRecorder onClassPath() {
        return Found.RECORDER;
    }

    /** Looked for once. */
    final class Found {
        private static final LaunchRecorder RECORDER = first(PtxService.all(LaunchRecorder.class));

        private static LaunchRecorder first(List<LaunchRecorder> recorders) {
            return (plan, device, executions, ahead) -> recorders.stream()
                    .flatMap(recorder -> recorder.record(plan, device, executions, ahead).stream())
                    .findFirst();
        }

        private Found() {}
    }

    /** Launches and copies in their order. */
    interface Recording extends AutoCloseable {

        /** Launches that may be under way at once; 1 where the device cannot be given any ahead. */
        int depth();

        /**
         * Has the device do it all, after what it was given before. With a depth of more than 1 the host may change what is copied
         * as soon as this returns.
         *
         * @throws IllegalStateException when the device cannot
         */
        void launch();

        /**
         * Waits for the first launch that was not waited for.
         *
         * @throws IllegalStateException when the device could not do what was launched
         */
        void await();

        @Override
        void close();
    }
}
