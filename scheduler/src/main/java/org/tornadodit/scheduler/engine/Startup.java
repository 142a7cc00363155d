package org.tornadodit.scheduler.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.tornadodit.kernels.ptx.KernelCompiler.Work;

/** What is being done until an engine can sample, and how long each part took. Several threads may tell. */
public final class Startup {

    /**
     * Part of a start.
     *
     * @param who a device, or empty
     * @param what in words
     * @param begin seconds since the start's
     * @param end seconds since the start's
     */
    public record Phase(String who, String what, double begin, double end) {
        public double seconds() {
            return end - begin;
        }
    }

    /** A phase that has begun; closing ends it, on any thread and the first time only. */
    public final class Running implements AutoCloseable {
        private final String who;
        private final String what;
        private final long begin = System.nanoTime();
        private String detail = "";

        private Running(String who, String what) {
            this.who = who;
            this.what = what;
        }

        /** Says how far it is. */
        public void detail(String words) {
            synchronized (Startup.this) {
                detail = words;
                if (running.containsKey(this)) {
                    tell();
                }
            }
        }

        @Override
        public void close() {
            synchronized (Startup.this) {
                if (running.remove(this) == null) {
                    return;
                }
                phases.add(new Phase(who, what, since(begin), since(System.nanoTime())));
                tell();
            }
        }
    }

    private final long start;
    private final Consumer<String> listener;
    private final Map<Running, Boolean> running = new LinkedHashMap<>();
    private final List<Phase> phases = new ArrayList<>();
    private final Map<String, Work> kernels = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    /**
     * @param before seconds that passed already
     * @param listener takes what is being done, on any thread, at each change
     */
    public Startup(double before, Consumer<String> listener) {
        this.start = System.nanoTime() - (long) (before * 1e9);
        this.listener = listener;
        if (before > 0) {
            phases.add(new Phase("", "Java", 0, before));
        }
    }

    /** Tells nobody. */
    public static Startup silent() {
        return new Startup(0, words -> {});
    }

    /** Begins something. */
    public synchronized Running begin(String who, String what) {
        Running made = new Running(who, what);
        running.put(made, true);
        tell();
        return made;
    }

    /** Notes what kernels took that are ready now. */
    public synchronized void count(String who, Work work) {
        kernels.merge(who, work, Work::plus);
    }

    /** Notes a line on what was left for later, and is done beside the work. */
    public synchronized void note(String line) {
        notes.add(String.format(Locale.ROOT, "%7.3f  %s", seconds(), line));
    }

    /** What was noted, with the seconds since the start. */
    public synchronized List<String> notes() {
        return List.copyOf(notes);
    }

    private double since(long nanos) {
        return (nanos - start) / 1e9;
    }

    /** What is being done; of equal devices, those in the same phase are named together. */
    private void tell() {
        Map<String, List<String>> by = new LinkedHashMap<>();
        for (Running each : running.keySet()) {
            String words = each.detail.isEmpty() ? each.what : each.what + " " + each.detail;
            by.computeIfAbsent(words, any -> new ArrayList<>()).add(each.who);
        }
        List<String> parts = new ArrayList<>();
        by.forEach((words, who) -> {
            String names = String.join(
                    ", ", who.stream().filter(name -> !name.isEmpty()).toList());
            parts.add(names.isEmpty() ? words : names + ": " + words);
        });
        listener.accept(String.join("; ", parts));
    }

    /** What has ended, in the order of its beginning. */
    public synchronized List<Phase> phases() {
        return phases.stream()
                .sorted((a, b) -> Double.compare(a.begin(), b.begin()))
                .toList();
    }

    /** What the kernels of each device took; nothing where TornadoVM compiles by itself. */
    public synchronized Map<String, Work> kernels() {
        Map<String, Work> counted = new LinkedHashMap<>(kernels);
        counted.values().removeIf(work -> work.kernels() == 0);
        return counted;
    }

    /** Seconds since the start. */
    public double seconds() {
        return since(System.nanoTime());
    }

    /** The phases as lines of a table. */
    public List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add("  begin      end  seconds  start");
        for (Phase phase : phases()) {
            String name = phase.who().isEmpty() ? phase.what() : phase.who() + ": " + phase.what();
            lines.add(String.format(
                    Locale.ROOT, "%7.3f  %7.3f  %7.3f  %s", phase.begin(), phase.end(), phase.seconds(), name));
        }
        kernels()
                .forEach((who, work) -> lines.add(String.format(
                        Locale.ROOT,
                        "%s: %d kernels, %d of them compiled before; %.3f s to PTX, then %.3f s in the driver",
                        who,
                        work.kernels(),
                        work.kept(),
                        work.compileSeconds(),
                        work.loadSeconds())));
        lines.add(String.format(Locale.ROOT, "%7s  %7.3f  %7s  %s", "", seconds(), "", "ready"));
        return lines;
    }
}
