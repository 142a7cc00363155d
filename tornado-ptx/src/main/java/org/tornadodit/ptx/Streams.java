package org.tornadodit.ptx;

import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import uk.ac.manchester.tornado.drivers.ptx.PTXExecutionStreamSet;
import uk.ac.manchester.tornado.drivers.ptx.PTXStream;
import uk.ac.manchester.tornado.drivers.ptx.PTXStreamType;

/**
 * A device's streams by plan, for TornadoVM: those that launch kernels are {@link LaunchStream}s, the default stream as
 * well as those that a plan with several streams launches kernels on.
 */
final class Streams extends ConcurrentHashMap<Long, PTXExecutionStreamSet> {

    private static final long serialVersionUID = 1;

    private final transient Internals internals;
    private final transient Modules modules;

    Streams(Internals internals, Modules modules, Map<Long, PTXExecutionStreamSet> old) {
        super(old);
        this.internals = internals;
        this.modules = modules;
    }

    @Override
    public PTXExecutionStreamSet computeIfAbsent(
            Long plan, Function<? super Long, ? extends PTXExecutionStreamSet> make) {
        return super.computeIfAbsent(plan, id -> {
            PTXExecutionStreamSet set = make.apply(id);
            fill(set);
            return set;
        });
    }

    @SuppressWarnings("unchecked")
    private void fill(PTXExecutionStreamSet set) {
        Map<PTXStreamType, PTXStream> roles = (Map<PTXStreamType, PTXStream>) internals.roleStreams.get(set);
        roles.put(PTXStreamType.DEFAULT, new LaunchStream(PTXStreamType.DEFAULT, 0, internals, modules));
        internals.computeStreams.set(set, new ComputeStreams(internals, modules));
    }

    /** TornadoVM adds streams as it needs them: each is given back at once, and one of ours takes its place. */
    private static final class ComputeStreams extends ArrayList<PTXStream> {

        private static final long serialVersionUID = 1;

        private final transient Internals internals;
        private final transient Modules modules;

        ComputeStreams(Internals internals, Modules modules) {
            this.internals = internals;
            this.modules = modules;
        }

        @Override
        public boolean add(PTXStream stream) {
            stream.cuDestroyStream();
            return super.add(new LaunchStream(PTXStreamType.COMPUTE, size(), internals, modules));
        }
    }
}
