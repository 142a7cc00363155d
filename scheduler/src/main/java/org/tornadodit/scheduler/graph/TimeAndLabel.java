package org.tornadodit.scheduler.graph;

import java.util.HashMap;
import java.util.Map;
import org.tornadodit.model.dit.TimestepEmbedding;
import org.tornadodit.scheduler.device.DeviceArrays;
import org.tornadodit.scheduler.graph.Operations.Rows;
import org.tornadodit.scheduler.graph.PortableOperations.Passes;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * DiT's: the sum of a time's embedding, from sinusoids of the host through two linear layers, and a label's.
 *
 * @param width hidden size D
 */
record TimeAndLabel(int width) implements Conditioning {

    @Override
    public Object[] sent(DitBuffers buffers) {
        return new Object[] {buffers.allFrequencies};
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
        g.scratch(b.timestepHidden, b.timestep);
        portable.fewRows(g, "t_embedder_mlp_0", b.single, b.frequencies, w.timestepIn(), b.timestepHidden, rows, true);
        portable.fewRows(g, "t_embedder_mlp_2", b.single, b.timestepHidden, w.timestepOut(), b.timestep, rows, false);
        portable.condition(g, "y_embedder", b.timestep, w.labelTable(), conditioning, rows, passes, width); // (N, D)
    }

    @Override
    public void fill(DitBuffers buffers, double[] times, double[] intervals) {
        fill(buffers.allFrequencies, times);
    }

    /** The sinusoids of some times. */
    static void fill(FloatArray frequencies, double[] times) {
        Map<Double, float[]> embeddings = new HashMap<>();
        for (int pass = 0; pass < times.length; pass++) {
            float[] embedding = embeddings.computeIfAbsent(times[pass], TimestepEmbedding::of);
            DeviceArrays.fill(frequencies, pass * embedding.length, embedding);
        }
    }
}
