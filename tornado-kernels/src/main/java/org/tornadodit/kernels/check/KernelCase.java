package org.tornadodit.kernels.check;

import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.function.UnaryOperator;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * One operation at one shape.
 *
 * @param name the operation
 * @param shape its sizes, for people
 * @param inputs arrays to copy to the device, once
 * @param tasks appends the operation's tasks
 * @param grids launch of each task, by the task's name
 * @param output the array that it makes
 * @param size elements of output, counted as numbers
 * @param actual the value of each element of output
 * @param reference float64 value of each element of output
 * @param bound on ||output - reference|| / ||reference||
 * @param flop floating-point operations of one execution, 0 where bytes count
 * @param bytes bytes read and written at least
 */
public record KernelCase(
        String name,
        String shape,
        Object[] inputs,
        UnaryOperator<TaskGraph> tasks,
        Map<String, WorkerGrid> grids,
        Object output,
        int size,
        IntToDoubleFunction actual,
        IntToDoubleFunction reference,
        double bound,
        double flop,
        double bytes) {
    static final String GRAPH = "case";

    /** A case that makes floats. */
    public KernelCase(
            String name,
            String shape,
            Object[] inputs,
            UnaryOperator<TaskGraph> tasks,
            Map<String, WorkerGrid> grids,
            FloatArray output,
            IntToDoubleFunction reference,
            double bound,
            double flop,
            double bytes) {
        this(name, shape, inputs, tasks, grids, output, output.getSize(), output::get, reference, bound, flop, bytes);
    }

    /** The graph that runs it, its output left on the device until asked for. */
    public TaskGraph graph() {
        TaskGraph graph = new TaskGraph(GRAPH).transferToDevice(DataTransferMode.FIRST_EXECUTION, inputs);
        return tasks.apply(graph).transferToHost(DataTransferMode.UNDER_DEMAND, output);
    }

    /** The launches of {@link #graph}. */
    public GridScheduler scheduler() {
        GridScheduler scheduler = new GridScheduler();
        grids.forEach((task, grid) -> scheduler.addWorkerGrid(GRAPH + "." + task, grid));
        return scheduler;
    }

    /**
     * The error ||output - reference|| / ||reference|| over {@code samples} elements spread over the output, or all.
     */
    public double error(int samples) {
        long step = Math.max(1, size / samples);
        double error = 0;
        double norm = 0;
        int count = (int) (size / step);
        for (int i = 0; i < count; i++) {
            // Odd offsets within a step, so that samples fall on all columns.
            int index = (int) (i * step + (i * 7919L) % step);
            double expected = reference.applyAsDouble(index);
            double difference = actual.applyAsDouble(index) - expected;
            error += difference * difference;
            norm += expected * expected;
        }
        return Math.sqrt(error / norm);
    }
}
