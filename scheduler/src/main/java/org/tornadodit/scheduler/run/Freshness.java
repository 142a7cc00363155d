package org.tornadodit.scheduler.run;

import java.util.List;
import org.tornadodit.model.diffusion.Update;

/**
 * Which steps of patches are synchronous, with keys and values of their own, see {@link
 * org.tornadodit.scheduler.plan.PatchFlow}: the first of those who begin together, and where somebody is guided who was not, or
 * is no longer, since the passes of the step before were others'; and stages of a Runge-Kutta method, whose error is estimated from
 * the differences of what the model says at each. Devices of a crew decide alike.
 */
final class Freshness {
    private final int warmupSteps;
    private int left;
    private List<Boolean> guided = List.of();

    Freshness(int warmupSteps) {
        this.warmupSteps = warmupSteps;
        this.left = warmupSteps;
    }

    /** Samples begin, or go on from latents of the host. */
    void begin() {
        left = warmupSteps;
    }

    /** To be asked once a step. */
    boolean isSynchronous(List<SampleStep> samples) {
        List<Boolean> now = samples.stream().map(SampleStep::guided).toList();
        boolean stages = samples.stream().anyMatch(sample -> sample.step().update() instanceof Update.Stage);
        boolean synchronous = left > 0 || stages || !now.equals(guided);
        left = Math.max(0, left - 1);
        guided = now;
        return synchronous;
    }
}
