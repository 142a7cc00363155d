package org.tornadodit.runner.bulk;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A worker's share: the pictures whose number leaves {@code index} when it is divided by {@code count}.
 *
 * @param index 0 to count - 1
 * @param count workers in all
 * @param source where that is from, for the user
 */
record Shard(int index, int count, String source) {
    private static final int MOST = 100_000;
    private static final Pattern PARTS = Pattern.compile("([0-9]{1,9})/([0-9]{1,9})");

    private static final String ARRAY = "SLURM_ARRAY_TASK_";
    private static final String COMPLETION = "JOB_COMPLETION_INDEX";
    private static final String COMPLETIONS = "JOB_COMPLETIONS";

    Shard {
        if (count < 1 || count > MOST || index < 0 || index >= count) {
            throw new IllegalArgumentException("%s is shard %d of %d, expected 0/N to (N-1)/N with N from 1 to %d"
                    .formatted(source, index, count, MOST));
        }
    }

    /**
     * The shard that is asked for, else that of a Slurm array's task or of a Kubernetes Job's index, else all.
     *
     * @param option as typed, {@code 3/8}
     * @param environment the process's
     * @throws IllegalArgumentException when it is none
     */
    static Shard of(@Nullable String option, Map<String, String> environment) {
        if (option != null) {
            Matcher parts = PARTS.matcher(option.strip());
            if (!parts.matches()) {
                throw new IllegalArgumentException(
                        "--shard is \"%s\", expected I/N, as in 0/8 for the first of eight".formatted(option));
            }
            return new Shard(Integer.parseInt(parts.group(1)), Integer.parseInt(parts.group(2)), "--shard");
        }
        if (environment.containsKey(ARRAY + "ID")) {
            int step = number(environment, ARRAY + "STEP", 1);
            if (step < 1) {
                throw new IllegalArgumentException(ARRAY + "STEP is " + step + ", expected at least 1");
            }
            int first = number(environment, ARRAY + "MIN", 0);
            return new Shard(
                    (number(environment, ARRAY + "ID", null) - first) / step,
                    number(environment, ARRAY + "COUNT", null),
                    ARRAY + "ID");
        }
        if (environment.containsKey(COMPLETION)) {
            if (!environment.containsKey(COMPLETIONS)) {
                throw new IllegalArgumentException(
                        ("%s is set, but not how many there are: set %s to the Job's" + " completions, or give --shard")
                                .formatted(COMPLETION, COMPLETIONS));
            }
            return new Shard(number(environment, COMPLETION, null), number(environment, COMPLETIONS, null), COMPLETION);
        }
        return new Shard(0, 1, "no --shard");
    }

    private static int number(Map<String, String> environment, String name, @Nullable Integer absent) {
        String value = environment.get(name);
        if (value == null && absent != null) {
            return absent;
        }
        if (value == null || !value.matches("[0-9]{1,9}")) {
            throw new IllegalArgumentException(
                    "%s is %s, expected a number; --shard I/N comes before it".formatted(name, value));
        }
        return Integer.parseInt(value);
    }

    /** Numbers of its pictures of so many. */
    IntStream pictures(int total) {
        return IntStream.iterate(index, number -> number < total, number -> number + count);
    }

    /** Of so many, how many are its. */
    int size(int total) {
        return Math.max(0, Math.ceilDiv(total - index, count));
    }

    @Override
    public String toString() {
        return index + "/" + count;
    }
}
