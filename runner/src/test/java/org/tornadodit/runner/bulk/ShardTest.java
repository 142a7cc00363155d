package org.tornadodit.runner.bulk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ShardTest {

    private static Map<String, String> slurm(String id, String min, String step, String count) {
        return Map.of(
                "SLURM_ARRAY_TASK_ID", id,
                "SLURM_ARRAY_TASK_MIN", min,
                "SLURM_ARRAY_TASK_STEP", step,
                "SLURM_ARRAY_TASK_COUNT", count);
    }

    @Test
    void schedulersAndTheOptionSayTheSame() {
        assertEquals("0/1", Shard.of(null, Map.of()).toString());
        assertEquals("3/8", Shard.of("3/8", Map.of()).toString());
        assertEquals("3/8", Shard.of(null, slurm("3", "0", "1", "8")).toString());
        assertEquals("0/4", Shard.of(null, slurm("1", "1", "1", "4")).toString());
        assertEquals("2/4", Shard.of(null, slurm("14", "10", "2", "4")).toString());
        assertEquals(
                "3/8",
                Shard.of(null, Map.of("JOB_COMPLETION_INDEX", "3", "JOB_COMPLETIONS", "8"))
                        .toString());
        assertEquals("1/2", Shard.of("1/2", slurm("3", "0", "1", "8")).toString());
    }

    @Test
    void whatIsNoShardIsRefused() {
        for (String wrong : new String[] {"8/8", "0/0", "-1/2", "1", "a/b", "0/99999999"}) {
            assertThrows(IllegalArgumentException.class, () -> Shard.of(wrong, Map.of()), wrong);
        }
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> Shard.of(null, Map.of("JOB_COMPLETION_INDEX", "3")));
        assertTrue(String.valueOf(error.getMessage()).contains("set JOB_COMPLETIONS"), error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Shard.of(null, Map.of("SLURM_ARRAY_TASK_ID", "3")));
    }

    @Test
    void shardsTogetherAreAllPicturesOnce() {
        for (int total : new int[] {1, 7, 50}) {
            for (int count : new int[] {1, 3, 8}) {
                int[] all = IntStream.range(0, count)
                        .flatMap(index -> {
                            Shard shard = new Shard(index, count, "test");
                            assertEquals(shard.pictures(total).count(), shard.size(total));
                            return shard.pictures(total);
                        })
                        .sorted()
                        .toArray();
                assertArrayEquals(IntStream.range(0, total).toArray(), all);
            }
        }
    }
}
