package uk.ac.manchester.tornado.drivers.ptx.graal;

import uk.ac.manchester.tornado.api.common.SchedulableTask;

/** Names of kernels. */
public class PTXCodeUtil {
    PTXCodeUtil() {}

    public static String buildKernelName(String method, SchedulableTask task) {
        throw new UnsupportedOperationException("stub");
    }
}
