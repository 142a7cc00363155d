package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

class GroupNormTest {
    private static final int IMAGES = 2;
    private static final int GROUPS = 3;

    /** Sizes whose last part is whole, short or one pixel, and where some parts are empty. */
    @ParameterizedTest
    @CsvSource({"4096,3", "1600,9", "16384,6", "8193,12", "3137,48"})
    void aWorkGroupJoinsManyPartsToTheBitsOfOneThread(int pixels, int channels) throws Exception {
        int parts = GroupNorm.parts(pixels);
        FloatArray sums = new FloatArray(IMAGES * parts * GROUPS * 2);
        Random random = new Random(pixels);
        for (int i = 0; i < sums.getSize(); i++) {
            sums.set(i, i % 2 == 0 ? 3 + (float) random.nextGaussian() : random.nextFloat() * 64);
        }
        FloatArray many = new FloatArray(IMAGES * GROUPS * 2);
        FloatArray one = new FloatArray(IMAGES * GROUPS * 2);
        TaskGraph graph = GroupNorm.finishTask(
                        new TaskGraph("norm").transferToDevice(DataTransferMode.FIRST_EXECUTION, sums),
                        "many",
                        new KernelContext(),
                        sums,
                        many,
                        IMAGES,
                        pixels,
                        channels,
                        GROUPS,
                        parts,
                        1e-6f)
                .task(
                        "one",
                        GroupNorm::finish,
                        new KernelContext(),
                        sums,
                        one,
                        IMAGES,
                        pixels,
                        channels,
                        GROUPS,
                        parts,
                        1e-6f)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, many, one);
        GridScheduler grids = new GridScheduler("norm.many", GroupNorm.finishGrid(IMAGES, GROUPS, parts));
        grids.addWorkerGrid("norm.one", Launch.elementwise(IMAGES * GROUPS));
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            plan.withGridScheduler(grids).execute();
        }
        assertArrayEquals(one.toHeapArray(), many.toHeapArray());
    }
}
