package org.tornadodit.runner.report;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import org.tornadodit.runner.report.Block.Bar;
import org.tornadodit.runner.report.Block.Bars;
import org.tornadodit.runner.report.Block.Code;
import org.tornadodit.runner.report.Block.Heading;
import org.tornadodit.runner.report.Block.Paragraph;
import org.tornadodit.runner.report.Block.Table;

/**
 * A summary, then the five parts that the challenge's report asks for, made of recorded runs: baseline on one card, profile and
 * bottleneck, optimisation steps on one card, several cards, reproduction. Every figure is read from a record, computed
 * from such, or the cost model's; what was not recorded is said to be missing.
 */
public final class Report {
    private static final String TITLE = "tornado-dit: measurements";

    private final List<RecordedRun> runs;
    private final List<String> refused;
    private final List<Block> blocks = new ArrayList<>();

    private Report(List<RecordedRun> runs, List<String> refused) {
        this.runs = runs;
        this.refused = refused;
        write();
    }

    /**
     * Reads the records of a folder.
     *
     * @param format that they must have
     * @throws IOException when the folder cannot be read
     */
    public static Report of(Path folder, int format) throws IOException {
        List<String> refused = new ArrayList<>();
        List<RecordedRun> runs = RecordedRun.read(folder, format, refused);
        return new Report(runs, refused);
    }

    /** The files of a folder that {@link #of} reads. */
    public static List<Path> inputs(Path folder) throws IOException {
        return RecordedRun.files(folder);
    }

    /** Records that were read. */
    public int runs() {
        return runs.size();
    }

    /** A line for each file that is not used. */
    public List<String> refused() {
        return List.copyOf(refused);
    }

    /** One self-contained page. */
    public String html() {
        return HtmlPage.of(TITLE, blocks);
    }

    /** Markdown, with captions in place of the plots. */
    public String markdown() {
        return MarkdownPage.of(blocks);
    }

    private void write() {
        heading(1, TITLE);
        say("Made by ./dit report from %s, %s. Each table names the records that it is made of; no figure is typed in."
                .formatted(
                        runs.size() == 1 ? "one record" : runs.size() + " records", runs.isEmpty() ? "none" : dates()));
        blocks.addAll(new Summary(runs).blocks());
        heading(2, "1. Baseline on one card");
        baseline();
        heading(2, "2. Profile and bottleneck");
        profiles();
        heading(2, "3. Optimisation steps on one card");
        steps();
        heading(2, "4. Several cards: design and results");
        severalCards();
        heading(2, "5. Reproduction");
        reproduction();
    }

    private String dates() {
        String first = runs.getFirst().day();
        String last = runs.getLast().day();
        return first.equals(last) ? first : first + " to " + last;
    }

    /** The newest comparison, the times of those before, and the pictures. */
    private void baseline() {
        List<RecordedRun> comparisons = runs.reversed().stream()
                .filter(run -> run.is("compare") && run.devices() == 1)
                .toList();
        if (comparisons.isEmpty()) {
            missing("a comparison with PyTorch", "python3 bench/compare.py FOLDER --json results/NAME.json");
        } else {
            heading(3, "PyTorch and this engine, " + comparisons.getFirst().day());
            if (!comparisons.getFirst().text("note").isEmpty()) {
                say(comparisons.getFirst().text("note") + ".");
            }
            blocks.addAll(new Comparison(comparisons.getFirst()).blocks());
        }
        if (comparisons.size() > 1) {
            heading(3, "Comparisons before");
            blocks.add(Comparison.table(comparisons.subList(1, comparisons.size())));
        }
        Map<String, RecordedRun> judged = new LinkedHashMap<>();
        runs.stream().filter(run -> run.is("fidelity")).forEach(run -> judged.put(run.text("device"), run));
        judged.forEach((device, run) -> {
            heading(3, "Pictures beside PyTorch's, " + device);
            blocks.addAll(new Fidelity(run).blocks());
        });
    }

    /** Of each workload and precision the first profile, before the work on it, and the newest. */
    private void profiles() {
        Map<String, List<RecordedRun>> groups = new LinkedHashMap<>();
        for (RecordedRun run : runs) {
            if ((run.is("bench") || run.is("autotune")) && run.devices() == 1 && KernelProfile.step(run, "ms") > 0) {
                groups.computeIfAbsent(group(run), key -> new ArrayList<>()).add(run);
            }
        }
        if (!groups.isEmpty()) {
            say("Where the time of one denoising step goes. A kernel has the name of the model's layer, or of what it"
                + " computes: tensorLinear is a linear layer on the tensor cores with what follows it (GELU, gate and"
                + " residual, attention's heads), split says that operands are two FP16 parts, which keeps FP32's"
                + " accuracy. Shapes of linear layers are rows x outputs x inputs. The ceiling is what the device"
                + " reaches with arithmetic, or with copying, alone.");
        }
        for (List<RecordedRun> history : groups.values()) {
            RecordedRun newest = history.getLast();
            profile("Now, precision " + newest.precision(), newest);
        }
        groups.values().stream()
                .filter(history -> history.size() > 1)
                .map(List::getFirst)
                .forEach(first -> profile("Before: " + first.title() + ", precision " + first.precision(), first));
        if (groups.isEmpty()) {
            missing("a bench run with kernels", "./dit bench step kernels --json results/NAME.json ...");
        }
    }

    /** With the newest time of such a step where the record itself has none. */
    private void profile(String title, RecordedRun run) {
        OptionalDouble clock = run.milliseconds("step");
        if (clock.isEmpty()) {
            clock = byWorkload(1).getOrDefault(group(run), List.of()).stream()
                    .map(one -> one.milliseconds("step"))
                    .reduce((before, after) -> after)
                    .orElse(OptionalDouble.empty());
        }
        heading(3, title);
        blocks.addAll(new KernelProfile(run, clock).blocks());
    }

    private void steps() {
        boolean any = false;
        for (Map.Entry<String, List<RecordedRun>> of : byWorkload(1).entrySet()) {
            List<RecordedRun> history = of.getValue();
            any = true;
            double first = history.getFirst().milliseconds("step").orElseThrow();
            say(of.getKey() + ": each recorded run, oldest first.");
            List<List<String>> rows = new ArrayList<>();
            List<Bar> bars = new ArrayList<>();
            for (RecordedRun run : history) {
                double ms = run.milliseconds("step").orElseThrow();
                String note = run.title();
                JsonObject options = run.object("options");
                rows.add(List.of(
                        note,
                        RecordedRun.text(options, "steps"),
                        RecordedRun.text(options, "tuned_operations"),
                        fixed(OptionalDouble.of(ms), 1, 2),
                        fixed(run.milliseconds("vae"), 1, 1),
                        fixed(OptionalDouble.of(first / ms), 1, 2),
                        run.day()));
                bars.add(new Bar(note, ms, Plots.number(ms) + " ms", true));
            }
            blocks.add(new Table(
                    List.of(
                            "change",
                            "steps",
                            "operations tuned",
                            "step, ms",
                            "decode, ms",
                            "times the first's speed",
                            "date"),
                    rows));
            blocks.add(new Bars(bars, "Time of one denoising step after each change."));
        }
        for (RecordedRun run : runs) {
            if (run.is("autotune") && run.devices() == 1) {
                any = true;
                tuning(run);
            }
        }
        if (!any) {
            missing("a bench run of a step", "./dit bench step --note 'what changed' --json results/NAME.json ...");
        }
    }

    private void tuning(RecordedRun run) {
        heading(3, "Kernel variants tried, precision " + run.precision());
        double standard = KernelProfile.step(run, "default_ms");
        double tuned = KernelProfile.step(run, "ms");
        say(
                "./dit autotune checks and times every variant of each kernel and keeps the fastest. %s. %s (%s). The kernels of a step take %s ms with the defaults and %s ms with the variants chosen: %s %% less."
                        .formatted(
                                run.workload(),
                                run.conditions(),
                                run.file(),
                                Plots.number(standard),
                                Plots.number(tuned),
                                fixed(OptionalDouble.of(100 * (1 - tuned / standard)), 1, 1)));
        List<JsonObject> tried = run.objects("kernels").stream()
                .filter(kernel -> RecordedRun.number(kernel, "variants").orElse(1) > 1)
                .toList();
        List<JsonObject> changed = tried.stream()
                .filter(kernel -> !RecordedRun.number(kernel, "ms").equals(RecordedRun.number(kernel, "default_ms")))
                .toList();
        say("Of %d operations with variants the default is the fastest for %d."
                .formatted(tried.size(), tried.size() - changed.size()));
        if (!changed.isEmpty()) {
            blocks.add(new Table(
                    List.of("operation", "shape", "variants", "chosen", "default, us", "chosen, us"),
                    changed.stream()
                            .map(kernel -> List.of(
                                    RecordedRun.text(kernel, "name"),
                                    RecordedRun.text(kernel, "shape"),
                                    RecordedRun.text(kernel, "variants"),
                                    RecordedRun.text(kernel, "variant"),
                                    fixed(RecordedRun.number(kernel, "default_ms"), 1e3, 1),
                                    fixed(RecordedRun.number(kernel, "ms"), 1e3, 1)))
                            .toList()));
        }
    }

    private void severalCards() {
        say("A batch with as many samples as cards is divided by samples: each card holds the whole model and gets"
                + " a run of samples, both halves of their guidance with them. Noise depends on seed, call and"
                + " element alone, so a card makes its samples' noise itself; no card waits for another before the"
                + " pictures are put together, and the pictures are the same bits for any number of cards. Each"
                + " card is driven by a thread and an execution plan of its own.");
        Map<String, List<RecordedRun>> all = byWorkload(0);
        boolean any = false;
        for (Map.Entry<String, List<RecordedRun>> of : all.entrySet()) {
            Map<Integer, RecordedRun> newest = new LinkedHashMap<>();
            of.getValue().stream()
                    .filter(run -> !MeasuredSteps.isOfCrew(run))
                    .forEach(run -> newest.put(run.devices(), run));
            if (newest.size() < 2) {
                continue;
            }
            any = true;
            List<RecordedRun> sorted = newest.values().stream()
                    .sorted(Comparator.comparingInt(RecordedRun::devices))
                    .toList();
            RecordedRun base = sorted.getFirst();
            double alone = base.milliseconds("step").orElseThrow() * base.devices();
            List<List<String>> rows = new ArrayList<>();
            List<Bar> bars = new ArrayList<>();
            for (RecordedRun run : sorted) {
                double ms = run.milliseconds("step").orElseThrow();
                rows.add(List.of(
                        run.devices() + " x " + run.text("device"),
                        fixed(OptionalDouble.of(ms), 1, 2),
                        fixed(run.milliseconds("vae"), 1, 1),
                        fixed(run.milliseconds("sampling"), 1e-3, 2),
                        fixed(OptionalDouble.of(alone / ms), 1, 2),
                        fixed(OptionalDouble.of(100 * alone / ms / run.devices()), 1, 1),
                        run.text("gates"),
                        run.file()));
                bars.add(new Bar(
                        run.devices() == 1 ? "one card" : run.devices() + " cards",
                        alone / ms,
                        Plots.number(alone / ms),
                        true));
            }
            say(of.getKey() + ".");
            blocks.add(new Table(
                    List.of(
                            "cards",
                            "step, ms",
                            "decode, ms",
                            "sampling, s",
                            "speed-up",
                            "efficiency, %",
                            "strict gates",
                            "record"),
                    rows));
            blocks.add(new Bars(bars, "Speed-up of a step over one card."));
        }
        if (!any) {
            missing(
                    "one workload on one and on several cards",
                    "./dit bench step sampling --devices 0,1 --json results/NAME.json ...");
        }
        blocks.addAll(new SharedPicture(runs).blocks());
    }

    private void reproduction() {
        say("Each record says how it was made. A checkout at its version, TornadoVM 5.2.0-jdk25"
                + " (./setup-tornado.sh) and the device are what is needed besides; bench/compare.py and"
                + " bench/scaling.py need PyTorch.");
        Map<List<String>, List<RecordedRun>> calls = new LinkedHashMap<>();
        for (RecordedRun run : runs) {
            List<String> call = new ArrayList<>(run.lines("command"));
            call.add(run.text("date"));
            calls.computeIfAbsent(call, key -> new ArrayList<>()).add(run);
        }
        for (List<RecordedRun> call : calls.values()) {
            RecordedRun first = call.getFirst();
            heading(3, first.title());
            say(first.conditions() + ".");
            say("Recorded in "
                    + call.stream()
                            .map(run -> run.file()
                                    + (run.text("source").isEmpty() ? "" : " (read from " + run.text("source") + ")"))
                            .collect(Collectors.joining(", "))
                    + ".");
            if (!first.lines("command").isEmpty()) {
                blocks.add(new Code(first.lines("command")));
            }
        }
        for (String file : refused) {
            say("Not used: " + file + ".");
        }
    }

    /** Bench runs with a step, oldest first, by workload and kind of device; of so many cards, 0 for any. */
    private Map<String, List<RecordedRun>> byWorkload(int devices) {
        Map<String, List<RecordedRun>> groups = new LinkedHashMap<>();
        for (RecordedRun run : runs) {
            if (run.is("bench") && run.milliseconds("step").isPresent() && (devices == 0 || run.devices() == devices)) {
                groups.computeIfAbsent(group(run), key -> new ArrayList<>()).add(run);
            }
        }
        return groups;
    }

    private static String group(RecordedRun run) {
        return run.workload() + ", " + run.text("device")
                + (run.precision().isEmpty() ? "" : ", precision " + run.precision());
    }

    private void missing(String what, String command) {
        say("Not recorded yet: " + what + ". To record it:");
        blocks.add(new Code(List.of(command)));
    }

    private void heading(int level, String text) {
        blocks.add(new Heading(level, text));
    }

    private void say(String text) {
        blocks.add(new Paragraph(text));
    }

    static String fixed(OptionalDouble value, double unit, int digits) {
        return Double.isFinite(value.orElse(Double.NaN))
                ? String.format(Locale.ROOT, "%." + digits + "f", value.getAsDouble() * unit)
                : "";
    }
}
