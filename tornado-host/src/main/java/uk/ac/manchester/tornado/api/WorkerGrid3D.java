package uk.ac.manchester.tornado.api;

/** A grid of 3 dimensions. */
public class WorkerGrid3D extends AbstractWorkerGrid {
    public static final int DIM = 3;

    /** A grid of that many work items. */
    public WorkerGrid3D(int x, int y, int z) {
        super(x, y, z);
    }

    @Override
    public int dimension() {
        return DIM;
    }
}
