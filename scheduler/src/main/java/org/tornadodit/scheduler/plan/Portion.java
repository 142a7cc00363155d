package org.tornadodit.scheduler.plan;

import org.tornadodit.scheduler.engine.SamplingState;

/**
 * Samples of a batch that one device takes together.
 *
 * @param first first sample
 * @param count number of samples, at least 1
 * @param state from where they go on; its arrays are these samples' alone
 */
public record Portion(int first, int count, SamplingState state) {

    /** These samples, further on. */
    public Portion at(SamplingState later) {
        return new Portion(first, count, later);
    }

    /** Some of these samples. */
    public Portion part(int from, int samples) {
        return new Portion(first + from, samples, state.part(count, from, samples));
    }
}
