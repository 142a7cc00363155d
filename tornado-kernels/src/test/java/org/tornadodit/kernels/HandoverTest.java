package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Micro-batches: how a batch is divided, and how a device goes from one to the next. */
class HandoverTest {
    private static final int NULL_CLASS = 9;

    /** Two samples, one of them guided: three passes. */
    private static IntArray batch(int most) {
        IntArray batch = new IntArray(Batch.length(most));
        Batch.fill(batch, new int[] {5, 7}, new boolean[] {false, true}, NULL_CLASS);
        return batch;
    }

    /** Each pass is in one micro-batch, and these differ by one at most. */
    @ParameterizedTest
    @CsvSource({"1, 3", "2, 2", "3, 1"})
    void eachPassIsInOneMicroBatch(int number, int most) {
        IntArray all = new IntArray(number * Batch.length(most));
        Batch.divide(batch(4), all, number, most);
        List<String> passes = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            int at = i * Batch.length(most);
            assertEquals(passes.size(), all.get(at + Batch.FIRST));
            assertEquals(2, all.get(at + Batch.SAMPLES));
            for (int pass = 0; pass < all.get(at + Batch.PASSES); pass++) {
                passes.add(all.get(at + Batch.sample(pass)) + ":" + all.get(at + Batch.label(pass, most)));
            }
        }
        assertEquals(List.of("0:5", "1:7", "1:9"), passes);
    }

    /** A micro-batch without a pass of its own has one behind all others. */
    @Test
    void whatIsLeftOverHasAPassThatNobodyReads() {
        IntArray all = new IntArray(4 * Batch.length(1));
        Batch.divide(batch(4), all, 4, 1);
        assertEquals(
                List.of(3, 0, 1, 2),
                IntStream.range(0, 4)
                        .mapToObj(i -> all.get(i * Batch.length(1) + Batch.FIRST))
                        .toList());
        assertEquals(
                List.of(1, 1, 1, 1),
                IntStream.range(0, 4)
                        .mapToObj(i -> all.get(i * Batch.length(1) + Batch.PASSES))
                        .toList());
    }

    /** One after the other, and the first again behind the last: passes, and the rows of their sinusoids. */
    @Test
    void theNextMicroBatchComesOfTheDevicesCount() throws Exception {
        int most = 2;
        int width = 4;
        IntArray all = new IntArray(2 * Batch.length(most));
        Batch.divide(batch(4), all, 2, most);
        FloatArray allFrequencies = new FloatArray(4 * width);
        FloatArray allIntervals = new FloatArray(4 * width);
        for (int i = 0; i < allFrequencies.getSize(); i++) {
            allFrequencies.set(i, i);
            allIntervals.set(i, -i);
        }
        IntArray batch = new IntArray(Batch.length(most));
        FloatArray frequencies = new FloatArray(most * width);
        FloatArray intervals = new FloatArray(most * width);
        IntArray state = new IntArray(Exchange.STATE);
        state.init(0);
        TaskGraph graph = new TaskGraph("micro")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, all, allFrequencies, allIntervals, state)
                .task(
                        "next",
                        Handover::next,
                        new KernelContext(),
                        all,
                        allFrequencies,
                        allIntervals,
                        batch,
                        frequencies,
                        intervals,
                        state,
                        2,
                        batch.getSize(),
                        width,
                        1)
                .transferToHost(DataTransferMode.UNDER_DEMAND, batch, frequencies, intervals);
        GridScheduler scheduler = new GridScheduler("micro.next", Handover.single());
        List<String> seen = new ArrayList<>();
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            for (int i = 0; i < 3; i++) {
                TornadoExecutionResult result =
                        plan.withGridScheduler(scheduler).execute();
                result.transferToHost(batch, frequencies, intervals);
                seen.add("%d from %d: %.0f %.0f"
                        .formatted(
                                batch.get(Batch.PASSES),
                                batch.get(Batch.FIRST),
                                frequencies.get(0),
                                intervals.get(width - 1)));
            }
        }
        assertEquals(List.of("1 from 0: 0 -3", "2 from 1: 4 -7", "1 from 0: 0 -3"), seen);
    }
}
