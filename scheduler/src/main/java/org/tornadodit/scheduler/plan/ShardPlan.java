package org.tornadodit.scheduler.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which samples of a batch run on which device. A shard is a run of samples, their unconditional halves with them, so
 * that devices never wait for one another; since each sample's arithmetic and noise depend on the sample alone, any plan
 * gives the same pictures.
 *
 * @param shards in the order of the samples; devices without samples have none
 */
public record ShardPlan(List<Shard> shards) {

    /**
     * Some samples on one device.
     *
     * @param device index into the list of devices
     * @param first first sample
     * @param count number of samples, at least 1
     */
    public record Shard(int device, int first, int count) {}

    public ShardPlan {
        shards = List.copyOf(shards);
    }

    /**
     * Shares samples among equal devices: shares differ by one at most, the first devices take more.
     *
     * @throws IllegalArgumentException when there is no sample or no device
     */
    public static ShardPlan even(int samples, int devices) {
        double[] speeds = new double[Math.max(0, devices)];
        Arrays.fill(speeds, 1);
        return weighted(samples, speeds);
    }

    /**
     * Shares samples among devices of different speed so that the slowest finishes as early as possible: each sample goes
     * to the device that would then be done first.
     *
     * @param speeds samples a second, or any measure in proportion to it, of each device; 0 for one to leave out
     * @throws IllegalArgumentException when there is no sample, or no device that is faster than 0
     */
    public static ShardPlan weighted(int samples, double... speeds) {
        if (samples < 1) {
            throw new IllegalArgumentException("samples is " + samples + ", expected at least 1");
        }
        int[] counts = new int[speeds.length];
        for (int sample = 0; sample < samples; sample++) {
            int best = -1;
            for (int device = 0; device < speeds.length; device++) {
                if (!(speeds[device] >= 0 && speeds[device] < Double.POSITIVE_INFINITY)) {
                    throw new IllegalArgumentException("speed of device " + device + " is " + speeds[device]);
                }
                if (speeds[device] > 0 && (best < 0 || done(counts, speeds, device) < done(counts, speeds, best))) {
                    best = device;
                }
            }
            if (best < 0) {
                throw new IllegalArgumentException("no device to share %d samples among".formatted(samples));
            }
            counts[best]++;
        }
        List<Shard> shards = new ArrayList<>();
        int first = 0;
        for (int device = 0; device < counts.length; device++) {
            if (counts[device] > 0) {
                shards.add(new Shard(device, first, counts[device]));
                first += counts[device];
            }
        }
        return new ShardPlan(shards);
    }

    /** When a device would be done with one sample more. */
    private static double done(int[] counts, double[] speeds, int device) {
        return (counts[device] + 1) / speeds[device];
    }
}
