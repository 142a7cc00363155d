package org.tornadodit.scheduler.graph;

import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.graph.Operations.Rows;
import org.tornadodit.scheduler.graph.PortableOperations.Passes;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * MeanFlow's: the embedding of t, that of t - r, which has layers of its own, and a label's.
 *
 * @param width hidden size D
 */
record TimesAndLabel(int width) implements Conditioning {

    @Override
    public Object[] sent(DitBuffers buffers) {
        return new Object[] {buffers.allFrequencies, buffers.allIntervals};
    }

    @Override
    public void write(
            GraphScope g,
            PortableOperations portable,
            DitBuffers b,
            DitDeviceWeights w,
            FloatArray conditioning,
            Rows rows,
            Passes passes) {
        ProductWeights intervalIn = present(w.intervalIn());
        ProductWeights intervalOut = present(w.intervalOut());
        g.scratch(b.timestepHidden, b.timestep, b.intervalHidden, b.interval);
        portable.fewRows(g, "t_embedder_mlp_0", b.single, b.frequencies, w.timestepIn(), b.timestepHidden, rows, true);
        portable.fewRows(g, "t_embedder_mlp_2", b.single, b.timestepHidden, w.timestepOut(), b.timestep, rows, false);
        portable.fewRows(g, "r_embedder_mlp_0", b.single, b.intervals, intervalIn, b.intervalHidden, rows, true);
        portable.fewRows(g, "r_embedder_mlp_2", b.single, b.intervalHidden, intervalOut, b.interval, rows, false);
        portable.conditionTwice(
                g, "y_embedder", b.timestep, b.interval, w.labelTable(), conditioning, rows, passes, width); // (N, D)
    }

    @Override
    public void fill(DitBuffers buffers, double[] times, double[] intervals) {
        TimeAndLabel.fill(buffers.allFrequencies, times);
        TimeAndLabel.fill(buffers.allIntervals, intervals);
    }

    private static ProductWeights present(@Nullable ProductWeights weights) {
        if (weights == null) {
            throw new IllegalArgumentException("a model with a second time, and no r_embedder");
        }
        return weights;
    }
}
