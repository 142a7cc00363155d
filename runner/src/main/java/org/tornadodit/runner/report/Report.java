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
import org.tornadodit.runner.report.Block.Code;
import org.tornadodit.runner.report.Block.Figure;
import org.tornadodit.runner.report.Block.Heading;
import org.tornadodit.runner.report.Block.Paragraph;
import org.tornadodit.runner.report.Block.Table;
import org.tornadodit.runner.report.Plots.Bar;

/**
 * The five parts that the challenge's report asks for, made of recorded runs: baseline on one card, profile and
 * bottleneck, optimisation steps on one card, several cards, reproduction. Every figure is read from a record or computed
 * from such; what was not recorded is said to be missing.
 */
public final class Report {
    /** Comparisons and profiles that are shown in full. */
    private static final int MOST = 4;

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
        say(
                "Made by ./dit report from %d records, %s. Each table names the record that it is made of; no figure is typed in."
                        .formatted(runs.size(), runs.isEmpty() ? "none" : dates()));
        heading(2, "1. Baseline on one card");
        baseline();
        heading(2, "2. Profile and bottleneck");
        List<RecordedRun> profiles = newest(run ->
                run.is("bench") && run.devices() == 1 && !run.objects("kernels").isEmpty());
        for (RecordedRun run : profiles) {
            heading(3, run.title());
            blocks.addAll(new KernelProfile(run).blocks());
        }
        if (profiles.isEmpty()) {
            missing("a bench run with kernels", "./dit bench step kernels --json results/NAME.json ...");
        }
        heading(2, "3. Optimisation steps on one card");
        steps();
        heading(2, "4. Several cards: design and results");
        severalCards();
        heading(2, "5. Reproduction");
        reproduction();
    }

    private String dates() {
        String first = runs.getFirst().text("date");
        String last = runs.getLast().text("date");
        return first.equals(last) ? first : first + " to " + last;
    }

    private void baseline() {
        List<RecordedRun> comparisons = newest(run -> run.is("compare") && run.devices() == 1);
        if (comparisons.isEmpty()) {
            missing("a comparison with PyTorch", "python3 bench/compare.py FOLDER --json results/NAME.json");
        }
        for (RecordedRun run : comparisons) {
            heading(3, run.title());
            comparison(run);
        }
    }

    private void comparison(RecordedRun run) {
        say("%s, %s steps, PyTorch and this engine in one call: the same weights, labels and noise. %s (%s)."
                .formatted(
                        run.workload(),
                        RecordedRun.text(run.object("options"), "steps"),
                        run.conditions(),
                        run.file()));
        List<JsonObject> engines = run.objects("engines");
        List<List<String>> rows = new ArrayList<>();
        List<Bar> bars = new ArrayList<>();
        for (JsonObject engine : engines) {
            OptionalDouble step = RecordedRun.number(engine, "step_ms");
            rows.add(List.of(
                    RecordedRun.text(engine, "name"),
                    fixed(step, 1, 1),
                    fixed(RecordedRun.number(engine, "decode_ms"), 1, 0),
                    fixed(RecordedRun.number(engine, "seconds"), 1, 2)));
            step.ifPresent(ms ->
                    bars.add(new Bar(RecordedRun.text(engine, "name"), ms, Plots.number(ms) + " ms", isOurs(engine))));
        }
        blocks.add(new Table(List.of("engine", "step, ms", "decode, ms", "whole, s"), rows));
        if (!bars.isEmpty()) {
            figure(Plots.bars("Time of a step", bars), "Time of one denoising step; shorter is better.");
        }
        List<List<String>> ratios = ratios(engines);
        if (!ratios.isEmpty()) {
            say("Ratios of this engine's times to PyTorch's; below 1 this engine is faster.");
            blocks.add(new Table(List.of("ratio", "step", "decode", "whole"), ratios));
        }
        List<JsonObject> pictures = run.objects("pictures");
        if (!pictures.isEmpty()) {
            say("The pictures against those of PyTorch in strict FP32, on the PNG grid.");
            blocks.add(new Table(
                    List.of("picture", "mean absolute difference, 0..255", "PSNR, dB", "SSIM", "LPIPS"),
                    pictures.stream()
                            .map(picture -> List.of(
                                    RecordedRun.text(picture, "name"),
                                    fixed(RecordedRun.number(picture, "mae"), 1, 4),
                                    fixed(RecordedRun.number(picture, "psnr"), 1, 1),
                                    fixed(RecordedRun.number(picture, "ssim"), 1, 4),
                                    fixed(RecordedRun.number(picture, "lpips"), 1, 4)))
                            .toList()));
        }
    }

    private static boolean isOurs(JsonObject engine) {
        return engine.has("ours") && RecordedRun.text(engine, "ours").equals("true");
    }

    private static List<List<String>> ratios(List<JsonObject> engines) {
        List<List<String>> rows = new ArrayList<>();
        for (JsonObject ours : engines) {
            for (JsonObject theirs : engines) {
                if (isOurs(ours) && !isOurs(theirs)) {
                    rows.add(List.of(
                            RecordedRun.text(ours, "name") + " / " + RecordedRun.text(theirs, "name"),
                            ratio(ours, theirs, "step_ms"),
                            ratio(ours, theirs, "decode_ms"),
                            ratio(ours, theirs, "seconds")));
                }
            }
        }
        return rows;
    }

    private static String ratio(JsonObject ours, JsonObject theirs, String key) {
        OptionalDouble a = RecordedRun.number(ours, key);
        OptionalDouble b = RecordedRun.number(theirs, key);
        return a.isPresent() && b.isPresent() ? fixed(OptionalDouble.of(a.getAsDouble() / b.getAsDouble()), 1, 2) : "";
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
                        run.text("date")));
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
            figure(
                    Plots.bars("Time of a step after each change", bars),
                    "Time of one denoising step after each change.");
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
        heading(3, "Autotuning");
        double standard = KernelProfile.step(run, "default_ms");
        double tuned = KernelProfile.step(run, "ms");
        say(
                "%s. %s (%s). The kernels of a step take %s ms with the defaults and %s ms with the variants chosen: %s %% less."
                        .formatted(
                                run.workload(),
                                run.conditions(),
                                run.file(),
                                Plots.number(standard),
                                Plots.number(tuned),
                                fixed(OptionalDouble.of(100 * (1 - tuned / standard)), 1, 1)));
        blocks.add(new Table(
                List.of("operation", "shape", "variants", "chosen", "default, us", "chosen, us"),
                run.objects("kernels").stream()
                        .filter(kernel -> RecordedRun.number(kernel, "variants").orElse(1) > 1)
                        .map(kernel -> List.of(
                                RecordedRun.text(kernel, "name"),
                                RecordedRun.text(kernel, "shape"),
                                RecordedRun.text(kernel, "variants"),
                                RecordedRun.text(kernel, "variant"),
                                fixed(RecordedRun.number(kernel, "default_ms"), 1e3, 1),
                                fixed(RecordedRun.number(kernel, "ms"), 1e3, 1)))
                        .toList()));
    }

    private void severalCards() {
        say("A batch is divided by samples: each card holds the whole model and gets a run of samples, both halves"
                + " of their guidance with them. Noise depends on seed, call and element alone, so a card makes"
                + " its samples' noise itself; no card waits for another before the pictures are put together, and"
                + " the pictures are the same bits for any number of cards. Each card is driven by a thread and an"
                + " execution plan of its own.");
        Map<String, List<RecordedRun>> all = byWorkload(0);
        boolean any = false;
        for (Map.Entry<String, List<RecordedRun>> of : all.entrySet()) {
            Map<Integer, RecordedRun> newest = new LinkedHashMap<>();
            of.getValue().forEach(run -> newest.put(run.devices(), run));
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
                        run.file()));
                bars.add(new Bar(
                        run.devices() == 1 ? "one card" : run.devices() + " cards",
                        alone / ms,
                        Plots.number(alone / ms),
                        true));
            }
            say(of.getKey() + ".");
            blocks.add(new Table(
                    List.of("cards", "step, ms", "decode, ms", "sampling, s", "speed-up", "efficiency, %", "record"),
                    rows));
            figure(Plots.bars("Speed-up", bars), "Speed-up of a step over one card.");
        }
        if (!any) {
            missing(
                    "one workload on one and on several cards",
                    "./dit bench step sampling --devices 0,1 --json results/NAME.json ...");
        }
    }

    private void reproduction() {
        say("Each record says how it was made. A checkout at its version, TornadoVM 5.2.0-jdk25"
                + " (./setup-tornado.sh) and the device are what is needed besides; bench/compare.py and"
                + " bench/scaling.py need PyTorch.");
        for (RecordedRun run : runs) {
            heading(3, run.file());
            say(run.conditions() + (run.text("note").isEmpty() ? "" : ". " + run.text("note")));
            blocks.add(new Code(run.lines("command")));
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
                String precision = RecordedRun.text(run.object("options"), "precision");
                groups.computeIfAbsent(
                                run.workload() + ", " + run.text("device") + ", precision " + precision,
                                key -> new ArrayList<>())
                        .add(run);
            }
        }
        return groups;
    }

    private interface Wanted {
        boolean is(RecordedRun run);
    }

    /** The newest few, the newest first. */
    private List<RecordedRun> newest(Wanted wanted) {
        return runs.reversed().stream().filter(wanted::is).limit(MOST).toList();
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

    private void figure(Svg plot, String caption) {
        blocks.add(new Figure(plot, caption));
    }

    static String fixed(OptionalDouble value, double unit, int digits) {
        return value.isPresent() ? String.format(Locale.ROOT, "%." + digits + "f", value.getAsDouble() * unit) : "";
    }
}
