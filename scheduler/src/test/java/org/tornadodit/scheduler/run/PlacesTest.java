package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.run.SharedPass.Verdict;
import org.tornadodit.scheduler.run.SharedPass.Verdict.Scope;

/** Who shares which pass, with steppers that only note the labels of each step. */
@Timeout(60)
class PlacesTest {
    private static final int ELEMENTS = TinyModel.CONFIG.inputElements();

    private final List<ExecutorService> threads = new ArrayList<>();
    private final List<Lane> lanes = new ArrayList<>();

    @AfterEach
    void end() {
        threads.forEach(ExecutorService::close);
    }

    /** Notes steps; fails where a label is told to, with what it is told. */
    private static final class Noting implements Stepper {
        private final List<List<Integer>> steps = Collections.synchronizedList(new ArrayList<>());
        private int taken;
        private int begins;
        private final List<Integer> reads = new ArrayList<>();
        private int failing = -1;
        private RuntimeException failure = new IllegalStateException();

        @Override
        public void begin(List<List<float[]>> states) {
            taken = states.size();
            begins++;
        }

        @Override
        public void step(List<SampleStep> samples, List<float[]> noise, int number) {
            assertEquals(taken, samples.size());
            List<Integer> labels = samples.stream().map(SampleStep::label).toList();
            steps.add(labels);
            if (labels.contains(failing)) {
                throw failure;
            }
        }

        @Override
        public List<List<float[]>> read(List<Integer> arrays) {
            reads.add(steps.size());
            return Collections.nCopies(taken, List.of(new float[ELEMENTS]));
        }
    }

    private Noting lane(int places, double speed) {
        Noting stepper = new Noting();
        ExecutorService thread = Executors.newSingleThreadExecutor();
        threads.add(thread);
        lanes.add(new Lane(places, speed, thread, () -> stepper));
        return stepper;
    }

    private SharedPass pass(Scope scope) {
        return pass(scope, 10, 0);
    }

    private SharedPass pass(Scope scope, int keepSteps, double keepSeconds) {
        return new SharedPass(
                TinyModel.CONFIG,
                lanes,
                keepSteps,
                keepSeconds,
                false,
                (lane, samples, failure) -> new Verdict(scope, failure));
    }

    private static SamplingRequest request(int steps, Integer... labels) {
        return new SamplingRequest(
                List.of(labels), SamplingMethod.DDIM.of(String.valueOf(steps), 0), 1, Guidance.FIRST_THREE);
    }

    private static FutureTask<float[]> inBackground(SharedPass pass, SamplingRequest request) {
        FutureTask<float[]> task = new FutureTask<>(
                () -> pass.sample(request, TorchRandn.cuda(0), SamplingState.START, (done, now) -> {}));
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    /** Samples a batch, and asks something on the lane's thread after a step. */
    private static void sample(SharedPass pass, SamplingRequest request, int step, Runnable asked) {
        pass.sample(request, TorchRandn.cuda(0), SamplingState.START, new StepListener() {
            private boolean asks = true;

            @Override
            public void stepDone(int done, Supplier<SamplingState> state) {}

            @Override
            public boolean wantsState(int done) {
                if (asks && done == step) {
                    asks = false;
                    asked.run();
                }
                return false;
            }
        });
    }

    private static void awaitBatches(SharedPass pass, int batches) {
        // On the lane's thread, which no timeout interrupts.
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(50);
        while (pass.batches() < batches) {
            assertTrue(System.nanoTime() < end, "the batch does not come");
            Thread.onSpinWait();
        }
    }

    /** Of seven steps every third, and the last; but not before the time has come. */
    @ParameterizedTest
    @CsvSource({"0, 3 6 7", "3600, 7"})
    void statesAreReadAfterStepsAndTime(double seconds, String reads) {
        Noting stepper = lane(1, 1);
        pass(Scope.PASS, 3, seconds).sample(request(7, 0), TorchRandn.cuda(0), SamplingState.START, StepListener.NONE);
        assertEquals(reads, stepper.reads.stream().map(String::valueOf).collect(Collectors.joining(" ")));
    }

    /** Three places: of two samples that join one waits, and begins when a place is free. */
    @Test
    void samplesJoinAndLeaveBetweenSteps() throws Exception {
        Noting stepper = lane(3, 1);
        SharedPass pass = pass(Scope.PASS);
        List<FutureTask<float[]>> joined = new ArrayList<>();
        sample(pass, request(3, 0, 1), 1, () -> {
            joined.add(inBackground(pass, request(4, 2, 3)));
            awaitBatches(pass, 2);
        });
        joined.getFirst().get();
        assertEquals(
                List.of(
                        List.of(0, 1),
                        List.of(0, 1, 2),
                        List.of(0, 1, 2),
                        List.of(2, 3),
                        List.of(2, 3),
                        List.of(3),
                        List.of(3)),
                stepper.steps);
        assertEquals(4, stepper.begins, "states are sent only where the company changes");
        assertEquals(0, pass.batches());
    }

    /** A lane twice as fast gets twice as many, samples that follow one another; what comes later goes where there is room. */
    @Test
    void lanesShareBySpeed() {
        Noting slow = lane(4, 1);
        Noting fast = lane(4, 2);
        pass(Scope.PASS)
                .sample(request(1, 0, 1, 2, 3, 4, 5), TorchRandn.cuda(0), SamplingState.START, (done, now) -> {});
        assertEquals(List.of(List.of(0, 1)), slow.steps);
        assertEquals(List.of(List.of(2, 3, 4, 5)), fast.steps);
    }

    /** Batches that shared the pass do the step again, each by itself; the one that fails alone ends. */
    @Test
    void anOverflowIsOneBatchs() throws Exception {
        Noting stepper = lane(3, 1);
        stepper.failing = 2;
        stepper.failure = new OverflowException("a layer");
        SharedPass pass = pass(Scope.ALL);
        List<FutureTask<float[]>> joined = new ArrayList<>();
        sample(pass, request(3, 0, 1), 1, () -> {
            joined.add(inBackground(pass, request(3, 2)));
            awaitBatches(pass, 2);
        });
        assertEquals(
                stepper.failure,
                assertThrows(ExecutionException.class, joined.getFirst()::get).getCause());
        assertEquals(
                List.of(
                        List.of(0, 1),
                        List.of(0, 1, 2), // fails
                        List.of(0, 1), // apart
                        List.of(2), // fails alone
                        List.of(0, 1)),
                stepper.steps);
    }

    /** The samples of a lane that is lost go on elsewhere, beside others that are further. */
    @Test
    void aLostLanesSamplesGoToTheOthers() {
        Noting lost = lane(2, 2);
        Noting other = lane(3, 1);
        lost.failing = 0;
        pass(Scope.LANE).sample(request(2, 0, 1, 2), TorchRandn.cuda(0), SamplingState.START, (done, now) -> {});
        assertEquals(List.of(List.of(0, 1)), lost.steps);
        assertEquals(6, other.steps.stream().mapToInt(List::size).sum(), "three samples of two steps: " + other.steps);
    }

    @Test
    void closingEndsAllAndRefusesMore() throws Exception {
        lane(1, 1);
        SharedPass pass = pass(Scope.PASS);
        List<FutureTask<float[]>> waiting = new ArrayList<>();
        assertThrows(
                CancellationException.class,
                () -> sample(pass, request(100, 0), 1, () -> {
                    waiting.add(inBackground(pass, request(1, 1)));
                    awaitBatches(pass, 2);
                    pass.close();
                }));
        ExecutionException closed = assertThrows(ExecutionException.class, waiting.getFirst()::get);
        assertTrue(closed.getCause() instanceof CancellationException, closed.toString());
        assertThrows(
                IllegalStateException.class,
                () -> pass.sample(request(1, 0), TorchRandn.cuda(0), SamplingState.START, (done, now) -> {}));
    }
}
