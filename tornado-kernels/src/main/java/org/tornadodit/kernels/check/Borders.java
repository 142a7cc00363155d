package org.tornadodit.kernels.check;

import java.util.function.IntFunction;
import uk.ac.manchester.tornado.api.WorkerGrid;

/** Sizes of kernels' tiles as their own launches tell them, and steps around them. */
public final class Borders {
    /** A step less, none and one more. */
    public static final int[] STEPS = {-1, 0, 1};

    private Borders() {}

    /** The size up to which a launch stays as it is for size 1. */
    public static int tile(IntFunction<WorkerGrid> launch) {
        long one = threads(launch.apply(1));
        int size = 1;
        while (threads(launch.apply(size + 1)) == one) {
            size++;
        }
        return size;
    }

    private static long threads(WorkerGrid grid) {
        long threads = 1;
        for (long each : grid.getGlobalWork()) {
            threads *= each;
        }
        return threads;
    }

    /** Threads of a work group. */
    public static int group(WorkerGrid grid) {
        return Math.toIntExact(grid.getLocalWork()[0]);
    }

    /** One of {@link #STEPS} for any number: sizes that vary together meet in all pairs when their turns differ. */
    public static int turn(int number) {
        return STEPS[Math.floorMod(number + 1, STEPS.length)];
    }

    /** Height of the image of so many pixels that is nearest to a square. */
    public static int height(int pixels) {
        int height = (int) Math.sqrt(pixels);
        while (pixels % height != 0) {
            height--;
        }
        return height;
    }
}
