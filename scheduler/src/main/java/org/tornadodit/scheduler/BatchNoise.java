package org.tornadodit.scheduler;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.tornadodit.model.noise.CpuNoise;
import org.tornadodit.model.noise.CudaNoise;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.scheduler.ShardPlan.Shard;

/**
 * The noise of one batch, call by call, for shards that take their slices at their own pace: call 0 is the start, calls
 * 1 to {@code steps} are the steps'. The reference draws a step's noise for both halves of the guided batch, of which
 * the first is used. Thread safe.
 */
final class BatchNoise {
    private final NoiseStream stream;
    private final int elements;
    private final int perSample;
    private final int steps;
    private final int shards;
    private final long firstCounter;
    /** Of a generator that cannot be entered in the middle: calls that some shard still has to take. */
    private final Map<Integer, float[]> drawn = new HashMap<>();

    private final Map<Integer, Integer> taken = new HashMap<>();
    private int nextCall;

    /**
     * @param samples of the whole batch
     * @param perSample elements of a sample's latents
     * @param shards how many take slices
     */
    BatchNoise(NoiseStream stream, int samples, int perSample, int steps, int shards) {
        this.stream = stream;
        this.elements = samples * perSample;
        this.perSample = perSample;
        this.steps = steps;
        this.shards = shards;
        this.firstCounter = stream instanceof CudaNoise cuda ? cuda.counter() : 0;
    }

    /** A shard's slice of a call. Each shard takes each call once, in order. */
    float[] slice(int call, Shard shard) {
        int from = shard.first() * perSample;
        int to = from + shard.count() * perSample;
        return switch (stream) {
            case CudaNoise cuda ->
                new CudaNoise(cuda.seed(), counter(cuda, call), cuda.grid()).next(sizeOf(call), from, to);
            case CpuNoise cpu -> Arrays.copyOfRange(drawn(cpu, call), from, to);
        };
    }

    /** Philox's counter of a call of a CUDA generator. */
    long counter(CudaNoise cuda, int call) {
        long afterStart = firstCounter + (call == 0 ? 0 : cuda.grid().counters(sizeOf(0)));
        return afterStart + Math.max(0, call - 1) * cuda.grid().counters(sizeOf(1));
    }

    /** Elements of a call. */
    int sizeOf(int call) {
        return call == 0 ? elements : 2 * elements;
    }

    private synchronized float[] drawn(CpuNoise cpu, int call) {
        while (nextCall <= call) {
            drawn.put(nextCall, cpu.next(sizeOf(nextCall), 0, elements));
            nextCall++;
        }
        float[] noise = drawn.get(call);
        if (noise == null) {
            throw new IllegalStateException("call " + call + " was taken by all shards already");
        }
        if (taken.merge(call, 1, Integer::sum) == shards) {
            drawn.remove(call);
            taken.remove(call);
        }
        return noise;
    }

    /** Advances the stream past the batch, when all shards are done. */
    synchronized void finish() {
        int done = stream instanceof CpuNoise ? nextCall : 0;
        for (int call = done; call <= steps; call++) {
            stream.skip(sizeOf(call));
        }
    }
}
