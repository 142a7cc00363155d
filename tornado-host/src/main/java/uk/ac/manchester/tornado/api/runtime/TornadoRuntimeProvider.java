package uk.ac.manchester.tornado.api.runtime;

import org.tornadodit.host.HostBackend;
import uk.ac.manchester.tornado.api.TornadoRuntime;

/** The way to the runtime. */
public class TornadoRuntimeProvider {
    /** The runtime of this JVM. */
    public static TornadoRuntime getTornadoRuntime() {
        return HostBackend.RUNTIME;
    }

    /** Whether all plans collect figures; here they always do. */
    public static boolean isProfilerEnabled() {
        return getTornadoRuntime().isProfilerEnabled();
    }
}
