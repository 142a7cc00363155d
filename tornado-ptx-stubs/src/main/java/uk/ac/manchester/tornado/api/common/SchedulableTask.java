package uk.ac.manchester.tornado.api.common;

import uk.ac.manchester.tornado.api.GridScheduler;

/** A task of a graph. */
public interface SchedulableTask {
    Object[] getArguments();

    String getId();

    int getBatchNumber();

    long getBatchThreads();

    void setUseGridScheduler(boolean use);

    void setGridScheduler(GridScheduler grids);
}
