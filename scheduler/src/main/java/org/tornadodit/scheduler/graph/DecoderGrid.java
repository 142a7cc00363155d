package org.tornadodit.scheduler.graph;

import java.util.function.IntFunction;
import uk.ac.manchester.tornado.api.WorkerGrid;

/**
 * The grid of a task of the decoder. TornadoVM reads a grid at each launch, so that a pass of fewer images has fewer threads.
 *
 * @param grid that TornadoVM has
 * @param ofImages what it is for a number of images
 */
record DecoderGrid(WorkerGrid grid, IntFunction<WorkerGrid> ofImages) {

    /** Makes the next launches those of a number of images. */
    void resize(int images) {
        long[] wanted = ofImages.apply(images).getGlobalWork();
        grid.setGlobalWork(wanted[0], wanted[1], wanted[2]);
    }
}
