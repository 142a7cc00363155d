package uk.ac.manchester.tornado.api;

import org.tornadodit.host.PlanExecution;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** What an execution left on the device, and its figures. */
public class TornadoExecutionResult {
    private final PlanExecution execution;
    private final TornadoProfilerResult profile;

    TornadoExecutionResult(PlanExecution execution, TornadoProfilerResult profile) {
        this.execution = execution;
        this.profile = profile;
    }

    public TornadoProfilerResult getProfilerResult() {
        return profile;
    }

    /** Copies arrays to the host, from the graphs that the plan selects now. */
    public TornadoExecutionResult transferToHost(Object... objects) {
        for (Object object : objects) {
            if (!(object instanceof TornadoNativeArray array)) {
                throw new TornadoRuntimeException("transferToHost of "
                        + (object == null ? "null" : object.getClass().getName()) + ", which is no native array");
            }
            execution.transferToHost(array, 0, array.getNumBytesOfSegment());
        }
        return this;
    }

    /** Copies a part of an array to the host. The array's other elements stay as they are. */
    public TornadoExecutionResult transferToHost(DataRange dataRange) {
        dataRange.materialize();
        execution.transferToHost(
                dataRange.getArray(),
                dataRange.getOffset() - TornadoNativeArray.ARRAY_HEADER,
                dataRange.getPartialSize());
        return this;
    }

    /** Always: executions are waited for. */
    public boolean isReady() {
        return true;
    }
}
