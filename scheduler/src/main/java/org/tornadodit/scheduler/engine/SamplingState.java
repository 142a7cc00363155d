package org.tornadodit.scheduler.engine;

import java.util.Arrays;
import java.util.List;

/**
 * How far a batch, or some samples of it, has come: enough to go on, to the same bits.
 *
 * @param done steps finished
 * @param arrays (N, C, H, W) each: the latents after so many steps, then the sampler's history. Before the first step the
 *     latents alone, or none where they are drawn; and none where nobody asked for them
 */
public record SamplingState(int done, List<float[]> arrays) {

    /** Nothing is done yet. */
    public static final SamplingState START = new SamplingState(0, List.of());

    public SamplingState {
        arrays = List.copyOf(arrays);
        if (done < 0 || (done == 0 && arrays.size() > 1)) {
            throw new IllegalArgumentException("%d arrays after %d steps".formatted(arrays.size(), done));
        }
    }

    /** Of a sampler without a history. */
    public SamplingState(int done, float[] latents) {
        this(done, List.of(latents));
    }

    /** The latents; empty where there are none. */
    public float[] latents() {
        return arrays.isEmpty() ? new float[0] : arrays.getFirst();
    }

    /** The same of some samples. */
    public SamplingState part(int samples, int first, int count) {
        return new SamplingState(
                done,
                arrays.stream()
                        .map(array -> {
                            int perSample = array.length / samples;
                            return Arrays.copyOfRange(array, first * perSample, (first + count) * perSample);
                        })
                        .toList());
    }

    /**
     * Passes where a batch can be at this state.
     *
     * @param elements of the batch's latents
     * @throws IllegalArgumentException when it cannot
     */
    public void requireFits(SamplingRequest request, int elements) {
        int wanted =
                done == 0 ? Math.min(arrays.size(), 1) : 1 + request.sampler().history();
        if (done > request.steps()
                || arrays.size() != wanted
                || arrays.stream().anyMatch(array -> array.length != elements)) {
            throw new IllegalArgumentException(
                    "the state has arrays of %s elements after %d steps, expected %d of %d and at most %d steps"
                            .formatted(
                                    arrays.stream().map(array -> array.length).toList(),
                                    done,
                                    wanted,
                                    elements,
                                    request.steps()));
        }
    }
}
