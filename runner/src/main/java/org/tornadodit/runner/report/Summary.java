package org.tornadodit.runner.report;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.metrics.Gates;
import org.tornadodit.model.metrics.Score;
import org.tornadodit.runner.report.Block.Bar;
import org.tornadodit.runner.report.Block.Bars;
import org.tornadodit.runner.report.Block.Heading;
import org.tornadodit.runner.report.Block.Paragraph;
import org.tornadodit.runner.report.Block.Sentences;
import org.tornadodit.runner.report.Block.Table;

/**
 * What the challenge asks and what was reached, for those who read nothing else.
 *
 * @param runs oldest first
 */
record Summary(List<RecordedRun> runs) {
    private static final String HIGHEST = "highest";

    /** Of the challenge's text: the time of its own program on its own machine, four V100. */
    private static final int CHALLENGE_SECONDS = 500;

    private static final Gates GATES = Gates.STRICT;

    /**
     * A row of the table.
     *
     * @param seconds of the whole sampling
     * @param devices how many
     * @param record the file of the time
     */
    private record Result(
            String program,
            String device,
            int devices,
            double seconds,
            @Nullable Picture picture,
            boolean ours,
            String record) {

        boolean standard() {
            return !ours && program.contains("strict");
        }

        String gates() {
            return standard() ? "the standard" : picture == null ? "" : picture.verdict();
        }

        /** No points by the published rules without a picture that keeps their gates. */
        double publishedPoints() {
            return gates().equals("failed") ? 0 : Score.STRICT.points(seconds);
        }

        String where() {
            return devices == 1 ? device : devices + " x " + device;
        }
    }

    /**
     * A picture beside PyTorch's in strict FP32.
     *
     * @param values with mae, psnr, ssim and lpips as far as they were measured
     * @param judged the run that compared them
     * @param verdict of the strict gates, {@code passed} or {@code failed}
     */
    private record Picture(JsonObject values, RecordedRun judged, String verdict) {

        static Picture of(JsonObject values, RecordedRun judged, String recorded) {
            return new Picture(values, judged, recorded.isEmpty() ? judge(values) : recorded);
        }

        /** What was not measured is not judged. */
        private static String judge(JsonObject values) {
            boolean fails = RecordedRun.number(values, "mae").orElse(0) > GATES.maxMae()
                    || RecordedRun.number(values, "lpips").orElse(0) > GATES.maxLpips()
                    || RecordedRun.number(values, "ssim").orElse(1) < GATES.minSsim()
                    || RecordedRun.number(values, "psnr").orElse(Double.POSITIVE_INFINITY) <= GATES.minPsnr();
            return fails ? "failed" : "passed";
        }
    }

    List<Block> blocks() {
        List<Block> blocks = new ArrayList<>();
        blocks.add(new Heading(2, "In short"));
        blocks.add(new Heading(3, "What was asked"));
        blocks.add(new Paragraph(String.format(
                Locale.ROOT,
                "The DiT challenge: draw eight pictures of 512 x 512 with the image model DiT-XL/2 in 250 steps, as"
                    + " fast as possible, without changing the model or its precision. The pictures must keep gates"
                    + " against those of the original program: mean absolute difference at most %s (levels are 0 to"
                    + " 255), LPIPS at most %s, SSIM at least %s, PSNR more than %.0f dB. Its machine has four NVIDIA"
                    + " V100, where the original takes %d s. Points, by its published rules: none from %.0f s, all"
                    + " %.0f from %.0f s down; by its final ones: none from %.0f s, all %.0f from %.0f s down.",
                GATES.maxMae(),
                GATES.maxLpips(),
                GATES.minSsim(),
                GATES.minPsnr(),
                CHALLENGE_SECONDS,
                Score.STRICT.zeroSeconds(),
                Score.STRICT.fullPoints(),
                Score.STRICT.fullSeconds(),
                Score.FINAL.zeroSeconds(),
                Score.FINAL.fullPoints(),
                Score.FINAL.fullSeconds())));
        blocks.add(new Heading(3, "What was reached"));
        List<Result> theirs = pytorch();
        List<Result> ours = ours();
        if (ours.isEmpty()) {
            blocks.add(new Paragraph(
                    "No record is of the challenge's whole run: DiT-XL/2, 512 x 512, a batch of 8, 250 steps."
                            + " ./dit bench sampling with these, or bench/scaling.py, records one."));
            return blocks;
        }
        blocks.add(new Paragraph(reached(theirs, ours)));
        List<Result> all = Stream.concat(theirs.stream(), ours.stream()).toList();
        blocks.add(times(theirs, all));
        blocks.add(new Bars(
                all.stream()
                        .map(one -> new Bar(
                                one.program() + ", " + one.where(),
                                one.seconds(),
                                String.format(Locale.ROOT, "%.1f s", one.seconds()),
                                one.ours()))
                        .toList(),
                "Seconds for the eight pictures; shorter is better."));
        if (all.stream().anyMatch(one -> one.picture() != null)) {
            blocks.add(new Paragraph("The pictures beside PyTorch's in strict FP32:"));
            blocks.add(pictures(all));
        }
        blocks.add(new Paragraph("Records: "
                + all.stream()
                        .flatMap(one -> one.picture() == null
                                ? Stream.of(one.record())
                                : Stream.of(one.record(), one.picture().judged().file()))
                        .distinct()
                        .collect(Collectors.joining(", "))
                + "."));
        blocks.add(new Heading(3, "What to know"));
        blocks.add(new Sentences(conditions()));
        return blocks;
    }

    /** The best result that keeps FP32's accuracy, in two or three sentences. */
    private static String reached(List<Result> theirs, List<Result> ours) {
        Result best = ours.stream()
                .filter(one -> one.program().endsWith(HIGHEST))
                .min(Comparator.comparingDouble(Result::seconds))
                .orElse(ours.getFirst());
        StringBuilder text = new StringBuilder(
                String.format(Locale.ROOT, "Eight pictures in %.1f s on %s", best.seconds(), best.where()));
        Optional<Result> alone = ours.stream()
                .filter(one -> one.program().equals(best.program())
                        && one.device().equals(best.device())
                        && one.devices() == 1
                        && best.devices() > 1)
                .findFirst();
        alone.ifPresent(one -> text.append(String.format(Locale.ROOT, ", %.1f s on one", one.seconds())));
        OptionalDouble strict = base(theirs, best.device());
        if (strict.isPresent()) {
            text.append(String.format(
                    Locale.ROOT,
                    ". PyTorch at the same precision takes %.1f s on one: %.1f times as long",
                    strict.getAsDouble(),
                    strict.getAsDouble() / best.seconds()));
            alone.ifPresent(one -> text.append(String.format(
                    Locale.ROOT,
                    " as this program on %d, %.1f times as long as on one",
                    best.devices(),
                    strict.getAsDouble() / one.seconds())));
        }
        text.append(". ");
        if (best.picture() != null) {
            text.append("The pictures ")
                    .append(best.picture().verdict().equals("passed") ? "keep" : "do not keep")
                    .append(" the strict gates. ");
        }
        return text.append(String.format(
                        Locale.ROOT,
                        "Such a time is worth %.0f of %.0f points by the published rules, %.0f of %.0f by the final"
                                + " ones.",
                        best.publishedPoints(),
                        Score.STRICT.fullPoints(),
                        Score.FINAL.points(best.seconds()),
                        Score.FINAL.fullPoints()))
                .toString();
    }

    private static Table times(List<Result> theirs, List<Result> all) {
        return new Table(
                List.of(
                        "program",
                        "device",
                        "eight pictures, s",
                        "times as fast as PyTorch",
                        "strict gates",
                        "points, published rules",
                        "points, final rules"),
                all.stream()
                        .map(one -> List.of(
                                one.program(),
                                one.where(),
                                number(one.seconds()),
                                base(theirs, one.device()).stream()
                                        .mapToObj(strict -> number(strict / one.seconds()))
                                        .collect(Collectors.joining()),
                                one.gates(),
                                number(one.publishedPoints()),
                                number(Score.FINAL.points(one.seconds()))))
                        .toList());
    }

    private static String number(double value) {
        return Report.fixed(OptionalDouble.of(value), 1, 1);
    }

    /** One row a program: its picture does not depend on the number of devices. */
    private static Table pictures(List<Result> all) {
        Map<String, Picture> pictures = new LinkedHashMap<>();
        for (Result one : all) {
            if (one.picture() != null && !one.standard()) {
                pictures.put(one.program(), one.picture());
            }
        }
        List<List<String>> rows = new ArrayList<>();
        pictures.forEach((program, picture) -> rows.add(List.of(
                program,
                Report.fixed(RecordedRun.number(picture.values(), "mae"), 1, 4),
                Report.fixed(RecordedRun.number(picture.values(), "psnr"), 1, 1),
                Report.fixed(RecordedRun.number(picture.values(), "ssim"), 1, 4),
                Report.fixed(RecordedRun.number(picture.values(), "lpips"), 1, 4),
                picture.verdict(),
                picture.judged().text("device") + ", " + picture.judged().day())));
        return new Table(
                List.of(
                        "pictures of",
                        "mean absolute difference",
                        "PSNR, dB",
                        "SSIM",
                        "LPIPS",
                        "strict gates",
                        "judged on"),
                rows);
    }

    /** Seconds of PyTorch in strict FP32 on one such device. */
    private static OptionalDouble base(List<Result> theirs, String device) {
        return theirs.stream()
                .filter(one -> one.standard() && one.device().equals(device))
                .mapToDouble(Result::seconds)
                .findFirst();
    }

    /** PyTorch's times of the newest comparison on the challenge's workload. */
    private List<Result> pytorch() {
        List<Result> results = new ArrayList<>();
        runs.reversed().stream()
                .filter(run -> run.is("compare") && run.devices() == 1 && challenge(run))
                .findFirst()
                .ifPresent(run -> {
                    for (JsonObject engine : run.objects("engines")) {
                        OptionalDouble seconds = RecordedRun.number(engine, "seconds");
                        if (!Comparison.isOurs(engine) && seconds.orElse(0) > 0) {
                            String name = RecordedRun.text(engine, "name");
                            Picture picture = run.objects("pictures").stream()
                                    .filter(one -> RecordedRun.text(one, "name").equals(name))
                                    .map(one -> Picture.of(one, run, ""))
                                    .findFirst()
                                    .orElse(null);
                            results.add(new Result(
                                    name, run.text("device"), 1, seconds.orElseThrow(), picture, false, run.file()));
                        }
                    }
                });
        return results;
    }

    /** The newest run of each precision and number of devices; not those whose own picture failed. */
    private List<Result> ours() {
        Map<String, RecordedRun> newest = new LinkedHashMap<>();
        for (RecordedRun run : runs) {
            if (run.is("bench")
                    && challenge(run)
                    && run.milliseconds("sampling").orElse(0) > 0
                    && !run.text("gates").equals("failed")) {
                newest.put(run.precision() + run.devices() + run.text("device"), run);
            }
        }
        return newest.values().stream()
                .sorted(Comparator.comparing(
                                (RecordedRun run) -> !run.precision().equals(HIGHEST))
                        .thenComparing(run -> run.text("device"))
                        .thenComparingInt(RecordedRun::devices))
                .map(run -> new Result(
                        "tornado-dit, " + run.precision(),
                        run.text("device"),
                        run.devices(),
                        run.milliseconds("sampling").orElseThrow() * 1e-3,
                        picture(run),
                        true,
                        run.file()))
                .toList();
    }

    /** The newest picture of a precision: any number of devices draws the same one. */
    private @Nullable Picture picture(RecordedRun of) {
        Picture newest = null;
        for (RecordedRun run : runs) {
            if (run.is("bench")
                    && challenge(run)
                    && run.precision().equals(of.precision())
                    && run.json().has("picture")) {
                newest = Picture.of(run.object("picture"), run, run.text("gates"));
            }
            if (run.is("fidelity")) {
                for (JsonObject row : run.objects("rows")) {
                    if (Fidelity.challenge(row)
                            && RecordedRun.text(row, "precision").equals(of.precision())
                            && RecordedRun.number(row, "mae").isPresent()) {
                        newest = Picture.of(row, run, RecordedRun.text(row, "gates"));
                    }
                }
            }
        }
        return newest;
    }

    private static boolean challenge(RecordedRun run) {
        JsonObject options = run.object("options");
        return RecordedRun.text(options, "model").equals("DiT-XL/2")
                && RecordedRun.text(options, "image_size").equals("512")
                && RecordedRun.text(options, "batch").equals("8")
                && RecordedRun.text(options, "steps").equals("250");
    }

    /** What the figures do not say by themselves. */
    private List<String> conditions() {
        List<String> lines = new ArrayList<>();
        lines.add("Times are from the noise to the decoded pictures. Starting, which reads the weights and compiles the"
                + " kernels, comes before and is not in them; README.md says what it takes.");
        lines.add("Strict FP32 is PyTorch's arithmetic without shortcuts, whose pictures are the standard here. The"
            + " default of this program, highest, has FP32's accuracy in every product; high is faster and less exact"
            + " (--matmul-precision).");
        List<String> devices = runs.stream()
                .map(run -> run.text("device"))
                .filter(device -> !device.isEmpty())
                .distinct()
                .toList();
        lines.add("Measured on: " + String.join(", ", devices) + "."
                + (devices.stream().anyMatch(device -> device.contains("V100"))
                        ? ""
                        : " No record is of a V100, the challenge's device: it has no tensor cores of the kind that the"
                                + " fast kernels use, and the plain FP32 ones would serve there."));
        boolean lpips = runs.stream()
                .anyMatch(run -> Stream.of("pictures", "rows")
                                .flatMap(key -> run.objects(key).stream())
                                .anyMatch(row -> row.has("lpips"))
                        || run.object("picture").has("lpips"));
        if (!lpips) {
            lines.add("LPIPS was not measured in any record, so that its gate is not judged.");
        }
        if (runs.stream()
                .flatMap(run -> run.lines("command").stream())
                .anyMatch(command -> command.matches(".*[ =]W(/.*|\\s.*|$)"))) {
            lines.add(
                    "W in the commands is the folder that reference/make_xl2.py makes: random weights in the format of"
                        + " the published ones. Times do not depend on them; the pictures of both programs are of the"
                        + " same.");
        }
        return lines;
    }
}
