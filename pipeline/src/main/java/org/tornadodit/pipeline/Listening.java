package org.tornadodit.pipeline;

import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A caller's listener. What it throws ends the work and comes out as it is; what else fails, in one line. */
final class Listening implements Consumer<Progress> {
    private final Consumer<Progress> listener;
    private volatile @Nullable Throwable failure;

    Listening(Consumer<Progress> listener) {
        this.listener = listener;
    }

    @Override
    public void accept(Progress progress) {
        try {
            listener.accept(progress);
        } catch (Throwable thrown) { // an error would pass for a device's failure
            failure = thrown;
            throw new CancellationException("the listener failed");
        }
    }

    <T> T run(Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            switch (failure) {
                case RuntimeException listeners -> throw listeners;
                case Error listeners -> throw listeners;
                case null, default -> {}
            }
            if (e instanceof CancellationException
                    || e instanceof IllegalArgumentException
                    || e instanceof QueueFullException) {
                throw e;
            }
            throw PipelineException.of(e);
        }
    }
}
