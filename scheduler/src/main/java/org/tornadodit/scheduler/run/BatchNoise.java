package org.tornadodit.scheduler.run;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tornadodit.model.noise.CpuNoise;
import org.tornadodit.model.noise.CudaNoise;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.run.SampleStep.Draw;

/**
 * The noise of one batch, call by call, for portions that take their slices at their own pace, and again after a
 * failure: call 0 is the start, those after it are the steps' that draw. The reference draws a step's noise for all that go
 * through the model, of which the first are used: both halves of a guided batch. Thread safe.
 */
final class BatchNoise {
    /** Drawn calls that are held for the devices that are a little behind; older ones are drawn again. */
    private static final int HELD_CALLS = 4;

    private final NoiseStream stream;
    private final int elements;
    private final int perSample;
    /** Calls after the first. */
    private final int stepCalls;

    private final int halves;
    private final long firstCounter;
    /** Of a generator that cannot be entered in the middle: its state before each call so far. */
    private final List<CpuNoise> before = new ArrayList<>();

    private final Map<Integer, float[]> held = new LinkedHashMap<>();

    /**
     * @param stream as it is before the batch
     * @param request the whole batch
     * @param perSample elements of a sample's latents
     */
    BatchNoise(NoiseStream stream, SamplingRequest request, int perSample) {
        this.stream = stream;
        this.elements = request.samples() * perSample;
        this.perSample = perSample;
        this.stepCalls = request.sampler().draws(request.steps());
        this.halves = request.drawnSamples() / request.samples();
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

    /**
     * Where a sample's noise of a step's call lies in the stream; call 0 is no step's. {@link Draw#NONE} where it comes from {@link #slice}, or
     * there is none.
     */
    Draw draw(int call, int sample) {
        if (call == 0 || call > stepCalls) {
            return Draw.NONE;
        }
        return switch (stream) {
            case CudaNoise cuda ->
                new Draw(cuda.seed(), counter(cuda, call), cuda.grid().threads(sizeOf(call)), sample * perSample);
            case CpuNoise cpu -> Draw.NONE;
        };
    }

    /** Philox's counter at a call. */
    private long counter(CudaNoise cuda, int call) {
        return call == 0
                ? firstCounter
                : firstCounter
                        + cuda.grid().counters(sizeOf(0))
                        + (call - 1L) * cuda.grid().counters(sizeOf(1));
    }

    /** Elements of a call. */
    private int sizeOf(int call) {
        return call == 0 ? elements : halves * elements;
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
        for (int call = before.size(); call <= stepCalls; call++) {
            stream.skip(sizeOf(call));
        }
    }
}
