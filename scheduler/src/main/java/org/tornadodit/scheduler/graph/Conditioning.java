package org.tornadodit.scheduler.graph;

import org.tornadodit.scheduler.graph.Operations.Rows;
import org.tornadodit.scheduler.graph.PortableOperations.Passes;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** What each pass of the denoiser is told beside its latents, and how that becomes the vector of all modulations. */
interface Conditioning {

    /** What {@link #fill} fills. */
    Object[] sent(DitBuffers buffers);

    /**
     * Writes the tasks that make a conditioning into the graph that a step begins with.
     *
     * @param portable for small products, in FP32
     * @param conditioning (N, D): SiLU of the sum of all embeddings
     * @param rows of it (N), and whose labels
     */
    void write(
            GraphScope g,
            PortableOperations portable,
            DitBuffers buffers,
            DitDeviceWeights weights,
            FloatArray conditioning,
            Rows rows,
            Passes passes);

    /**
     * Fills what the host sends before a step, beside the labels.
     *
     * @param times what the denoiser is given, of each row that there is
     * @param intervals likewise, for a second embedding
     */
    void fill(DitBuffers buffers, double[] times, double[] intervals);
}
