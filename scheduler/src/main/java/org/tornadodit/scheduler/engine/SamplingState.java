package org.tornadodit.scheduler.engine;

/**
 * How far a batch, or some samples of it, has come: enough to go on, to the same bits.
 *
 * @param done steps finished
 * @param latents (N, C, H, W) after so many steps; empty before the first, when they are drawn
 */
public record SamplingState(int done, float[] latents) {

    /** Nothing is done yet. */
    public static final SamplingState START = new SamplingState(0, new float[0]);

    public SamplingState {
        if (done < 0 || done == 0 && latents.length != 0) {
            throw new IllegalArgumentException("%d latents after %d steps".formatted(latents.length, done));
        }
    }

    /** @throws IllegalArgumentException when a batch cannot be at this state */
    public void requireFits(int elements, int steps) {
        if (done > steps || done > 0 && latents.length != elements) {
            throw new IllegalArgumentException(
                    "the state has %d latents after %d steps, expected %d and at most %d steps"
                            .formatted(latents.length, done, elements, steps));
        }
    }
}
