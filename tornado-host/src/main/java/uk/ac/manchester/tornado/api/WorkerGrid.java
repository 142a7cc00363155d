package uk.ac.manchester.tornado.api;

/** How many work items a task is run with, and how many of them make a group, in x, y and z. */
public interface WorkerGrid {
    /** Number of dimensions, 1 to 3. */
    int dimension();

    long[] getGlobalWork();

    /** Work items of a group, or null: the device chooses. */
    long[] getLocalWork();

    /** Groups in x, y and z, or null before {@link #setLocalWork}. */
    long[] getNumberOfWorkgroups();

    long[] getGlobalOffset();

    void setGlobalWork(long x, long y, long z);

    void setLocalWork(long x, long y, long z);

    void setNumberOfWorkgroupsToNull();

    void setLocalWorkToNull();

    void setGlobalOffset(long x, long y, long z);
}
