package uk.ac.manchester.tornado.api.enums;

/** When the arrays of a task graph are copied. */
public class DataTransferMode {
    /** To the device: before the graph's first execution only; the copy then stays. */
    public static final int FIRST_EXECUTION = 0;

    /** At every execution of the graph. */
    public static final int EVERY_EXECUTION = 1;

    /** To the host: when the execution's result is asked for it. To the device: never. */
    public static final int UNDER_DEMAND = 2;
}
