package org.tornadodit.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tornadodit.model.noise.CpuNoise;
import org.tornadodit.model.noise.CudaNoise;
import org.tornadodit.model.noise.NoiseStream;

/**
 * The noise of one batch, call by call, for portions that take their slices at their own pace, and again after a
 * failure: call 0 is the start, calls 1 to {@code steps} are the steps'. The reference draws a step's noise for both
 * halves of the guided batch, of which the first is used. Thread safe.
 */
final class BatchNoise {
    /** Drawn calls that are held for the devices that are a little behind; older ones are drawn again. */
    private static final int HELD_CALLS = 4;

    private final NoiseStream stream;
    private final int elements;
    private final int perSample;
    private final int steps;
    private final long firstCounter;
    /** Of a generator that cannot be entered in the middle: its state before each call so far. */
    private final List<CpuNoise> before = new ArrayList<>();

    private final Map<Integer, float[]> held = new LinkedHashMap<>();

    /**
     * @param stream as it is before the batch
     * @param samples of the whole batch
     * @param perSample elements of a sample's latents
     */
    BatchNoise(NoiseStream stream, int samples, int perSample, int steps) {
        this.stream = stream;
        this.elements = samples * perSample;
        this.perSample = perSample;
        this.steps = steps;
        this.firstCounter = stream instanceof CudaNoise cuda ? cuda.counter() : 0;
    }

    /**
     * A portion's slice of a call.
     *
     * @param first first sample
     * @param count number of samples
     */
    float[] slice(int call, int first, int count) {
        int from = first * perSample;
        int to = from + count * perSample;
        return switch (stream) {
            case CudaNoise cuda ->
                new CudaNoise(cuda.seed(), counter(cuda, call), cuda.grid()).next(sizeOf(call), from, to);
            case CpuNoise cpu -> Arrays.copyOfRange(drawn(cpu, call), from, to);
        };
    }

    /** Philox's counter at a call. */
    long counter(CudaNoise cuda, int call) {
        return call == 0
                ? firstCounter
                : firstCounter
                        + cuda.grid().counters(sizeOf(0))
                        + (call - 1L) * cuda.grid().counters(sizeOf(1));
    }

    /** Elements of a call. */
    int sizeOf(int call) {
        return call == 0 ? elements : 2 * elements;
    }

    private synchronized float[] drawn(CpuNoise cpu, int call) {
        float[] noise = held.get(call);
        if (noise == null) {
            advance(cpu, call);
            noise = before.get(call).copy().next(sizeOf(call), 0, elements);
            held.put(call, noise);
            if (held.size() > HELD_CALLS) {
                held.remove(held.keySet().iterator().next());
            }
        }
        return noise;
    }

    /** Notes the generator's states up to before a call, and leaves it behind that call. */
    private void advance(CpuNoise cpu, int call) {
        while (before.size() <= call) {
            before.add(cpu.copy());
            cpu.skip(sizeOf(before.size() - 1));
        }
    }

    /** Advances the stream past the batch, when all portions are done. */
    synchronized void finish() {
        for (int call = before.size(); call <= steps; call++) {
            stream.skip(sizeOf(call));
        }
    }
}
