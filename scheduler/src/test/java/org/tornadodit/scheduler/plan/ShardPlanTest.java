package org.tornadodit.scheduler.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.tornadodit.scheduler.plan.ShardPlan.Shard;

class ShardPlanTest {

    @Test
    void theChallengesBatchOnFourDevices() {
        assertEquals(
                List.of(new Shard(0, 0, 2), new Shard(1, 2, 2), new Shard(2, 4, 2), new Shard(3, 6, 2)),
                ShardPlan.even(8, 4).shards());
    }

    @Test
    void moreDevicesThanSamplesLeaveTheLastIdle() {
        assertEquals(
                List.of(new Shard(0, 0, 1), new Shard(1, 1, 1)),
                ShardPlan.even(2, 5).shards());
    }

    @Test
    void everySampleHasExactlyOnePlace() {
        long seed = 20261122;
        SplittableRandom random = new SplittableRandom(seed);
        for (int trial = 0; trial < 1000; trial++) {
            int samples = random.nextInt(1, 100);
            double[] speeds = new double[random.nextInt(1, 9)];
            for (int i = 0; i < speeds.length; i++) {
                speeds[i] = random.nextInt(5) == 0 ? 0 : random.nextDouble(0.1, 10);
            }
            speeds[random.nextInt(speeds.length)] = 1;
            String what = "seed " + seed + ", trial " + trial;
            int next = 0;
            int lastDevice = -1;
            double latest = 0;
            for (Shard shard : ShardPlan.weighted(samples, speeds).shards()) {
                assertEquals(next, shard.first(), what);
                assertTrue(shard.count() > 0 && shard.device() > lastDevice && speeds[shard.device()] > 0, what);
                next += shard.count();
                lastDevice = shard.device();
                latest = Math.max(latest, shard.count() / speeds[shard.device()]);
            }
            assertEquals(samples, next, what);
            assertTrue(latest <= best(samples, speeds) * (1 + 1e-12), what + ": the slowest device ends too late");
        }
    }

    /** The earliest time by which {@code samples} can be done: the least t with sum of floor(t * speed) >= samples. */
    private static double best(int samples, double[] speeds) {
        double best = Double.POSITIVE_INFINITY;
        for (double speed : speeds) {
            for (int count = 1; count <= samples && speed > 0; count++) {
                double time = count / speed;
                long done = 0;
                for (double other : speeds) {
                    done += (long) Math.floor(time * other * (1 + 1e-12));
                }
                if (done >= samples) {
                    best = Math.min(best, time);
                }
            }
        }
        return best;
    }

    @Test
    void equalDevicesDifferByOneSampleAtMost() {
        for (int samples = 1; samples < 40; samples++) {
            for (int devices = 1; devices < 12; devices++) {
                List<Shard> shards = ShardPlan.even(samples, devices).shards();
                int least = shards.stream().mapToInt(Shard::count).min().orElseThrow();
                int most = shards.stream().mapToInt(Shard::count).max().orElseThrow();
                assertTrue(most - least <= 1, samples + " on " + devices);
                assertEquals(Math.min(samples, devices), shards.size());
            }
        }
    }

    @Test
    void refusesWhatCannotBeShared() {
        assertThrows(IllegalArgumentException.class, () -> ShardPlan.even(0, 4));
        assertThrows(IllegalArgumentException.class, () -> ShardPlan.even(4, 0));
        assertThrows(IllegalArgumentException.class, () -> ShardPlan.weighted(4, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> ShardPlan.weighted(4, 1, Double.NaN));
    }
}
