package uk.ac.manchester.tornado.runtime;

import java.lang.reflect.Method;
import jdk.graal.compiler.debug.DebugContext;
import jdk.graal.compiler.options.OptionValues;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import uk.ac.manchester.tornado.api.TornadoBackend;

/** TornadoVM itself. */
public final class TornadoCoreRuntime {
    private TornadoCoreRuntime() {}

    public static TornadoCoreRuntime getTornadoRuntime() {
        throw new UnsupportedOperationException("stub");
    }

    public static TornadoVMConfigAccess getVMConfig() {
        throw new UnsupportedOperationException("stub");
    }

    public <D extends TornadoBackend> D getBackend(Class<D> type) {
        throw new UnsupportedOperationException("stub");
    }

    public <D extends TornadoBackend> int getBackendIndex(Class<D> type) {
        throw new UnsupportedOperationException("stub");
    }

    public static DebugContext getDebugContext() {
        throw new UnsupportedOperationException("stub");
    }

    public static OptionValues getOptions() {
        throw new UnsupportedOperationException("stub");
    }

    public ResolvedJavaMethod resolveMethod(Method method) {
        throw new UnsupportedOperationException("stub");
    }
}
