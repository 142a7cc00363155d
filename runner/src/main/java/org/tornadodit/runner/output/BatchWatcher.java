package org.tornadodit.runner.output;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/** Follows a batch: shows its progress, and hands out its state every so many steps. */
public final class BatchWatcher implements StepListener {

    /** Takes the state after a step. */
    public interface Taker {
        void take(SamplingState state);
    }

    /**
     * Who wants states.
     *
     * @param every so many steps
     * @param last the last step of interest
     */
    private record Interest(int every, int last, Taker taker) {
        boolean includes(int done) {
            return done % every == 0 && done <= last;
        }
    }

    private final IntConsumer progress;
    private final List<Interest> interests = new ArrayList<>();

    /** @param progress takes the number of steps done */
    public BatchWatcher(IntConsumer progress) {
        this.progress = progress;
    }

    /** Hands out states; does nothing without {@code every}. */
    public BatchWatcher take(@Nullable Integer every, int last, Taker taker) {
        if (every != null) {
            interests.add(new Interest(every, last, taker));
        }
        return this;
    }

    @Override
    public void stepDone(int done, Supplier<SamplingState> now) {
        if (wantsState(done)) {
            SamplingState state = now.get();
            for (Interest interest : interests) {
                if (interest.includes(done) && !state.arrays().isEmpty()) {
                    interest.taker().take(state);
                }
            }
        }
        progress.accept(done);
    }

    @Override
    public boolean wantsState(int done) {
        return interests.stream().anyMatch(interest -> interest.includes(done));
    }
}
