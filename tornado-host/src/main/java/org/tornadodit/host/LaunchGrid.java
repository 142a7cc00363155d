package org.tornadodit.host;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/**
 * The work items of one launch: how many in x, y, z, and how many of them make a group.
 *
 * @param global work items in x, y, z
 * @param local work items of one group in x, y, z; each divides its {@code global}
 */
record LaunchGrid(int[] global, int[] local) {
    /** Most work items of one group, the limit of CUDA devices. */
    static final int MAX_GROUP = 1024;

    private static final int[] MAX_LOCAL = {MAX_GROUP, MAX_GROUP, 64};
    private static final int DEFAULT_GROUP = 256;

    static LaunchGrid of(String task, WorkerGrid grid) {
        int[] global = dimensions(task, "global work", grid.getGlobalWork());
        if (!Arrays.equals(grid.getGlobalOffset(), new long[3])) {
            throw new TornadoRuntimeException(task + ": a global offset is not modelled by tornado-host");
        }
        long @Nullable [] wanted = grid.getLocalWork();
        int[] local = wanted == null
                ? new int[] {largestDivisor(global[0], DEFAULT_GROUP), 1, 1}
                : dimensions(task, "local work", wanted);
        for (int i = 0; i < 3; i++) {
            if (global[i] % local[i] != 0) {
                throw new TornadoRuntimeException(task + ": local work " + Arrays.toString(local)
                        + " does not divide global work " + Arrays.toString(global));
            }
            if (local[i] > MAX_LOCAL[i]) {
                throw new TornadoRuntimeException(task + ": local work " + Arrays.toString(local) + " is more than "
                        + Arrays.toString(MAX_LOCAL));
            }
        }
        if (local[0] * local[1] * local[2] > MAX_GROUP) {
            throw new TornadoRuntimeException(
                    task + ": a group of " + Arrays.toString(local) + " has more than " + MAX_GROUP + " work items");
        }
        return new LaunchGrid(global, local);
    }

    private static int[] dimensions(String task, String what, long[] values) {
        int[] result = {1, 1, 1};
        for (int i = 0; i < values.length; i++) {
            if (values[i] < 1 || values[i] > Integer.MAX_VALUE) {
                throw new TornadoRuntimeException(task + ": " + what + " " + Arrays.toString(values)
                        + " must be between 1 and " + Integer.MAX_VALUE);
            }
            result[i] = (int) values[i];
        }
        return result;
    }

    private static int largestDivisor(int n, int limit) {
        int divisor = Math.min(n, limit);
        while (n % divisor != 0) {
            divisor--;
        }
        return divisor;
    }

    /** Work items of one group. */
    int groupSize() {
        return local[0] * local[1] * local[2];
    }

    /** Groups in dimension {@code d}. */
    int groups(int d) {
        return global[d] / local[d];
    }

    /** Groups of the launch. */
    long groupCount() {
        return (long) groups(0) * groups(1) * groups(2);
    }
}
