package org.tornadodit.scheduler.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tornadodit.host.HostRuntime;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Sequences of graphs, in turn and recorded. */
class DevicePlanTest {
    private static final int N = 8;

    private final KernelContext context = new KernelContext();
    private final FloatArray sum = new FloatArray(N);
    private final FloatArray sent = new FloatArray(N);
    private final WorkerGrid1D grid = new WorkerGrid1D(N);
    private final GridScheduler grids = new GridScheduler();
    /** Whether graph 2 returns the sum each time. */
    private boolean returning;

    @BeforeEach
    @AfterEach
    void recordAgain() {
        HostRuntime.get().renewDevices();
        RerunningRecorder.renew();
    }

    /** Graph 0 clears the sum, 1 adds what is sent, 2 doubles it. */
    private DevicePlan plan() {
        grid.setLocalWork(N, 1, 1);
        for (String task : List.of("clear.t", "add.t", "twice.t")) {
            grids.addWorkerGrid(task, grid);
        }
        return new DevicePlan(TornadoDevices.list().getFirst(), this::graphs, grids);
    }

    private List<ImmutableTaskGraph> graphs() {
        TaskGraph clear = new TaskGraph("clear")
                .transferToDevice(DataTransferMode.UNDER_DEMAND, sum)
                .task("t", DevicePlanTest::clear, context, sum)
                .persistOnDevice(sum);
        TaskGraph add = new TaskGraph("add")
                .consumeFromDevice("clear", sum)
                .consumeFromDevice("twice", sum)
                .transferToDevice(DataTransferMode.EVERY_EXECUTION, sent)
                .task("t", DevicePlanTest::add, context, sum, sent)
                .persistOnDevice(sum);
        TaskGraph twice = new TaskGraph("twice")
                .consumeFromDevice("add", sum)
                .task("t", DevicePlanTest::twice, context, sum)
                .persistOnDevice(sum);
        if (returning) {
            twice.transferToHost(DataTransferMode.EVERY_EXECUTION, sum);
        }
        return List.of(clear.snapshot(), add.snapshot(), twice.snapshot());
    }

    private static void clear(KernelContext context, FloatArray sum) {
        sum.set(context.globalIdx, 0);
    }

    private static void add(KernelContext context, FloatArray sum, FloatArray sent) {
        sum.set(context.globalIdx, sum.get(context.globalIdx) + sent.get(context.globalIdx));
    }

    private static void twice(KernelContext context, FloatArray sum) {
        sum.set(context.globalIdx, 2 * sum.get(context.globalIdx));
    }

    private float step(DevicePlan plan, float value) {
        sent.init(value);
        TornadoExecutionResult result = plan.execute(List.of(1, 2));
        result.transferToHost(sum);
        return sum.get(N - 1);
    }

    @Test
    void aSequenceIsRecordedWhenItComesAgain() {
        try (DevicePlan plan = plan()) {
            plan.execute(0);
            assertEquals(2, step(plan, 1));
            assertEquals(0, RerunningRecorder.RECORDED.get());
            assertEquals(2 * (2 + 10), step(plan, 10));
            assertEquals(2 * (24 + 100), step(plan, 100));
            plan.execute(0); // another graph between two runs of a recording
            assertEquals(2 * 1000, step(plan, 1000));
            assertEquals(1, RerunningRecorder.RECORDED.get());
            assertEquals(3, RerunningRecorder.RUN.get());
        }
    }

    @Test
    void otherGridsAreAnotherSequence() {
        try (DevicePlan plan = plan()) {
            plan.execute(0);
            step(plan, 1);
            step(plan, 1);
            grid.setLocalWork(N / 2, 1, 1);
            step(plan, 1);
            assertEquals(1, RerunningRecorder.RECORDED.get());
            step(plan, 1);
            assertEquals(2, RerunningRecorder.RECORDED.get());
        }
    }

    /** Its graphs have run, with another grid; what the host does meanwhile comes once the device is at work. */
    @Test
    void aSequenceThatIsRecordedAheadIsOneLaunchTheFirstTime() {
        try (DevicePlan plan = plan()) {
            plan.execute(0);
            assertEquals(2, step(plan, 1));
            grid.setLocalWork(N / 2, 1, 1);
            plan.record(List.of(1, 2));
            plan.record(List.of(1, 2)); // is there
            assertEquals(1, RerunningRecorder.RECORDED.get());
            assertEquals(0, RerunningRecorder.RUN.get());
            assertEquals(2 * (2 + 10), step(plan, 10));
            assertEquals(1, RerunningRecorder.RUN.get());
            AtomicInteger meanwhile = new AtomicInteger();
            plan.execute(List.of(1, 2), meanwhile::incrementAndGet);
            assertEquals(1, meanwhile.get());
            grid.setLocalWork(N, 1, 1);
            plan.execute(
                    List.of(1, 2), meanwhile::incrementAndGet); // in turn: the second time with this grid, so recorded
            assertEquals(2, RerunningRecorder.RECORDED.get());
            assertEquals(2, meanwhile.get());
            plan.execute(List.of(1, 2, 1, 2), meanwhile::incrementAndGet);
            assertEquals(2, meanwhile.get());
        }
    }

    @Test
    void aDeviceThatCannotRecordRunsInTurn() {
        RerunningRecorder.refuses = true;
        try (DevicePlan plan = plan()) {
            plan.execute(0);
            assertEquals(2, step(plan, 1));
            assertEquals(6, step(plan, 1));
            RerunningRecorder.refuses = false; // it is not asked again
            assertEquals(14, step(plan, 1));
            assertEquals(0, RerunningRecorder.RECORDED.get());
        }
    }

    /** What is sent is what the host had at the launch; what is returned comes with the wait for it, and not with another's. */
    @Test
    void launchesAreGivenAhead() {
        returning = true;
        try (DevicePlan plan = plan()) {
            plan.launchAhead(2, List.of(sum));
            plan.execute(0);
            assertEquals(2, step(plan, 1));
            assertEquals(2 * (2 + 10), step(plan, 10));
            plan.prepare(List.of(1, 2));
            assertTrue(plan.isRecorded(List.of(1, 2)));
            sent.init(100);
            DevicePlan.Launched first = plan.launch(List.of(1, 2), () -> {});
            sent.init(1000);
            DevicePlan.Launched second = plan.launch(List.of(1, 2), () -> {});
            sent.init(0);
            assertEquals(List.of(2, 2), List.of(first.depth(), second.depth()));
            assertEquals(24, sum.get(0));
            first.await();
            assertEquals(2 * (24 + 100), sum.get(0));
            second.await();
            assertEquals(2 * (248 + 1000), sum.get(0));
        }
    }
}
