package uk.ac.manchester.tornado.drivers.ptx.graal.compiler;

import java.util.Set;
import jdk.graal.compiler.code.CompilationResult;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import uk.ac.manchester.tornado.drivers.ptx.graal.backend.PTXBackend;
import uk.ac.manchester.tornado.runtime.tasks.meta.TaskDataContext;

/** A compiled kernel. */
public class PTXCompilationResult extends CompilationResult {
    public PTXCompilationResult(String functionName, TaskDataContext meta) {
        super(functionName);
        throw new UnsupportedOperationException("stub");
    }

    public Set<ResolvedJavaMethod> getNonInlinedMethods() {
        throw new UnsupportedOperationException("stub");
    }

    public void addCompiledMethodCode(byte[] code) {
        throw new UnsupportedOperationException("stub");
    }

    public void addPTXHeader(PTXBackend backend) {
        throw new UnsupportedOperationException("stub");
    }
}
