package org.tornadodit.kernels.check;

import org.tornadodit.kernels.Launch;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What an output holds before a kernel is checked: numbers far from any of ours. */
public final class Nonsense {
    private static final float FLOAT = 1e30f;
    /** As two halves 57344 each. */
    private static final int HALVES = 0x7b007b00;

    private Nonsense() {}

    /** Fills an output on the host. */
    public static void write(Object output) {
        if (output instanceof FloatArray floats) {
            floats.init(FLOAT);
        } else if (output instanceof IntArray ints) {
            ints.init(HALVES);
        } else {
            throw new IllegalArgumentException("an output of " + output.getClass());
        }
    }

    /** A graph that fills an output on the device and leaves it there. */
    public static TaskGraph graph(String name, Object output, GridScheduler grids) {
        TaskGraph graph = new TaskGraph(name);
        if (output instanceof FloatArray floats) {
            grids.addWorkerGrid(name + ".nonsense", Launch.elementwise(floats.getSize()));
            graph.task("nonsense", Nonsense::fill, new KernelContext(), floats, floats.getSize());
        } else if (output instanceof IntArray ints) {
            grids.addWorkerGrid(name + ".nonsense", Launch.elementwise(ints.getSize()));
            graph.task("nonsense", Nonsense::fillHalves, new KernelContext(), ints, ints.getSize());
        } else {
            throw new IllegalArgumentException("an output of " + output.getClass());
        }
        return graph.persistOnDevice(output);
    }

    /** The kernel for floats. */
    public static void fill(KernelContext context, FloatArray out, int elements) {
        int index = context.globalIdx;
        if (index < elements) {
            out.set(index, FLOAT);
        }
    }

    /** The kernel for packed halves. */
    public static void fillHalves(KernelContext context, IntArray out, int elements) {
        int index = context.globalIdx;
        if (index < elements) {
            out.set(index, HALVES);
        }
    }
}
