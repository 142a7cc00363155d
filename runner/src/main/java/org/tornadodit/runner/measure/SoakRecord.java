package org.tornadodit.runner.measure;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.tornadodit.model.ByteCount;

/**
 * What many runs in one JVM have left behind.
 *
 * @param runs in their order, at least one
 */
public record SoakRecord(List<Run> runs) {

    /** From which run on memory must not grow any more: by then code is compiled, and pools have their size. */
    private static final int WARM = 10;

    /** How many times the median a run may take, if that is at least {@link #SLOW_SECONDS}. */
    private static final int SLOW = 10;

    private static final double SLOW_SECONDS = 1;

    /**
     * After one run.
     *
     * @param device bytes in use on all devices, where they tell
     * @param resident bytes of the process in the machine's memory, where the system tells
     * @param heap bytes of Java's heap in use after a collection
     */
    public record Run(double seconds, boolean sameBits, OptionalLong device, OptionalLong resident, long heap) {}

    /**
     * Most bytes that may be added from the first warm run to the last.
     *
     * @param device on all devices together
     * @param host resident, of the process
     */
    public record Bounds(long device, long host) {}

    public SoakRecord {
        runs = List.copyOf(runs);
    }

    private Run last() {
        return runs.getLast();
    }

    /** Counted from 1. */
    private int warm() {
        return runs.size() >= 2 * WARM ? WARM : 1;
    }

    private Run warmRun() {
        return runs.get(warm() - 1);
    }

    double median() {
        double[] sorted = runs.stream().mapToDouble(Run::seconds).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    /** From 0. The first run is not counted where there are others, since it compiles. */
    private int slowest() {
        int slowest = Math.min(1, runs.size() - 1);
        for (int i = slowest; i < runs.size(); i++) {
            slowest = runs.get(i).seconds() > runs.get(slowest).seconds() ? i : slowest;
        }
        return slowest;
    }

    /** The record, a fact a line. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        int[] shown = {1, WARM, runs.size()};
        lines.add("| after run | devices, MB | process, MB | Java's heap, MB | run, s |");
        lines.add("|---|---|---|---|---|");
        for (int run :
                Arrays.stream(shown).filter(n -> n <= runs.size()).distinct().toArray()) {
            Run at = runs.get(run - 1);
            lines.add(String.format(
                    Locale.ROOT,
                    "| %d | %s | %s | %.1f | %.3f |",
                    run,
                    megabytes(at.device()),
                    megabytes(at.resident()),
                    at.heap() / 1e6,
                    at.seconds()));
        }
        int between = Math.max(1, runs.size() - warm());
        lines.add(String.format(
                Locale.ROOT,
                "growth a run, from run %d to run %d: devices %s MB, process %s MB, Java's heap %.3f MB",
                warm(),
                runs.size(),
                growth(warmRun().device(), last().device(), between),
                growth(warmRun().resident(), last().resident(), between),
                (last().heap() - warmRun().heap()) / 1e6 / between));
        lines.add(String.format(
                Locale.ROOT,
                "median %.3f s a run, slowest after the first %.3f s (run %d)",
                median(),
                runs.get(slowest()).seconds(),
                slowest() + 1));
        return lines;
    }

    /** What is wrong, a line each: what, how much, how much is allowed. */
    public List<String> problems(Bounds bounds) {
        List<String> problems = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            if (!runs.get(i).sameBits()) {
                problems.add("run %d gave other bits than the first; the same were wanted".formatted(i + 1));
                break;
            }
        }
        grown("the devices' memory", warmRun().device(), last().device(), bounds.device(), problems);
        grown("the process", warmRun().resident(), last().resident(), bounds.host(), problems);
        double slow = runs.get(slowest()).seconds();
        if (slow > SLOW * median() && slow > SLOW_SECONDS) {
            problems.add(String.format(
                    Locale.ROOT,
                    "run %d took %.3f s, the median is %.3f s; at most %d times that was wanted",
                    slowest() + 1,
                    slow,
                    median(),
                    SLOW));
        }
        return problems;
    }

    private void grown(String what, OptionalLong from, OptionalLong to, long most, List<String> problems) {
        if (from.isPresent() && to.isPresent() && to.getAsLong() - from.getAsLong() > most) {
            problems.add("%s grew by %s from run %d to run %d; at most %s was wanted"
                    .formatted(
                            what,
                            ByteCount.of(to.getAsLong() - from.getAsLong()),
                            warm(),
                            runs.size(),
                            ByteCount.of(most)));
        }
    }

    private static String growth(OptionalLong from, OptionalLong to, int runs) {
        return from.isEmpty() || to.isEmpty()
                ? "?"
                : String.format(Locale.ROOT, "%.3f", (to.getAsLong() - from.getAsLong()) / 1e6 / runs);
    }

    static String megabytes(OptionalLong bytes) {
        return bytes.isEmpty() ? "?" : String.format(Locale.ROOT, "%.1f", bytes.getAsLong() / 1e6);
    }
}
