package org.tornadodit.kernels;

import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;

/** Arithmetic of launch geometries. */
public final class Launch {
    /** Work group size of kernels that treat each element on its own. */
    public static final int ELEMENTWISE = 256;

    /** Threads of a work group, where a kernel lets them be chosen. */
    public static final String THREADS = "threads";

    /** Those of a kernel that treats each element on its own; the default first. */
    public static final List<Variant> ELEMENTWISE_VARIANTS =
            List.of(Variant.of(THREADS, ELEMENTWISE), Variant.of(THREADS, 64), Variant.of(THREADS, 128));

    /** What a task is given for a kernel's context: it stands for those of all threads. */
    static final KernelContext CONTEXT = new KernelContext();

    private Launch() {}

    /** The smallest integer that is at least a / b, for a >= 0 and b > 0. */
    public static int ceilDiv(int a, int b) {
        return Math.ceilDiv(a, b);
    }

    /** One thread an element, in work groups of {@link #ELEMENTWISE}; kernels check the index against the count. */
    public static WorkerGrid elementwise(int elements) {
        return groups(ceilDiv(elements, ELEMENTWISE), ELEMENTWISE);
    }

    /** As {@link #elementwise(int)}, in work groups of a variant's size. */
    public static WorkerGrid elementwise(int elements, Variant variant) {
        int threads = variant.get(THREADS);
        return groups(ceilDiv(elements, threads), threads);
    }

    /** {@code groups} work groups of {@code threads} threads each. */
    public static WorkerGrid groups(int groups, int threads) {
        WorkerGrid grid = new WorkerGrid1D(Math.multiplyExact(groups, threads));
        grid.setLocalWork(threads, 1, 1);
        return grid;
    }
}
