package org.tornadodit.runner.report;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.tornadodit.runner.report.Block.Bar;
import org.tornadodit.runner.report.Block.Bars;
import org.tornadodit.runner.report.Block.Paragraph;
import org.tornadodit.runner.report.Block.Table;

/**
 * PyTorch and this engine in one call.
 *
 * @param run a compare run
 */
record Comparison(RecordedRun run) {

    List<Block> blocks() {
        List<Block> blocks = new ArrayList<>();
        blocks.add(new Paragraph(
                "%s, %s steps, PyTorch and this engine in one call: the same weights, labels and noise. %s (%s)."
                        .formatted(
                                run.workload(),
                                RecordedRun.text(run.object("options"), "steps"),
                                run.conditions(),
                                run.file())));
        List<JsonObject> engines = run.objects("engines");
        List<List<String>> rows = new ArrayList<>();
        List<Bar> bars = new ArrayList<>();
        for (JsonObject engine : engines) {
            OptionalDouble step = RecordedRun.number(engine, "step_ms");
            rows.add(List.of(
                    RecordedRun.text(engine, "name"),
                    Report.fixed(step, 1, 1),
                    Report.fixed(RecordedRun.number(engine, "decode_ms"), 1, 0),
                    Report.fixed(RecordedRun.number(engine, "seconds"), 1, 2)));
            step.ifPresent(ms ->
                    bars.add(new Bar(RecordedRun.text(engine, "name"), ms, Plots.number(ms) + " ms", isOurs(engine))));
        }
        blocks.add(new Table(List.of("engine", "step, ms", "decode, ms", "whole, s"), rows));
        if (!bars.isEmpty()) {
            blocks.add(new Bars(bars, "Time of one denoising step; shorter is better."));
        }
        List<List<String>> ratios = ratios(engines);
        if (!ratios.isEmpty()) {
            blocks.add(new Paragraph("Ratios of this engine's times to PyTorch's; below 1 this engine is faster."));
            blocks.add(new Table(List.of("ratio", "step", "decode", "whole"), ratios));
        }
        List<JsonObject> pictures = run.objects("pictures");
        if (!pictures.isEmpty()) {
            blocks.add(new Paragraph("The pictures against those of PyTorch in strict FP32, on the PNG grid."));
            blocks.add(new Table(
                    List.of("picture", "mean absolute difference, 0..255", "PSNR, dB", "SSIM", "LPIPS"),
                    pictures.stream()
                            .map(picture -> List.of(
                                    RecordedRun.text(picture, "name"),
                                    Report.fixed(RecordedRun.number(picture, "mae"), 1, 4),
                                    Report.fixed(RecordedRun.number(picture, "psnr"), 1, 1),
                                    Report.fixed(RecordedRun.number(picture, "ssim"), 1, 4),
                                    Report.fixed(RecordedRun.number(picture, "lpips"), 1, 4)))
                            .toList()));
        }
        return blocks;
    }

    /** The times of several, one row an engine. */
    static Table table(List<RecordedRun> runs) {
        List<List<String>> rows = new ArrayList<>();
        for (RecordedRun run : runs) {
            for (JsonObject engine : run.objects("engines")) {
                rows.add(List.of(
                        RecordedRun.text(engine, "name"),
                        run.text("device"),
                        RecordedRun.text(run.object("options"), "steps"),
                        Report.fixed(RecordedRun.number(engine, "step_ms"), 1, 1),
                        Report.fixed(RecordedRun.number(engine, "decode_ms"), 1, 0),
                        Report.fixed(RecordedRun.number(engine, "seconds"), 1, 2),
                        run.day(),
                        run.file()));
            }
        }
        return new Table(
                List.of("engine", "device", "steps", "step, ms", "decode, ms", "whole, s", "date", "record"), rows);
    }

    static boolean isOurs(JsonObject engine) {
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
        return a.isPresent() && b.isPresent()
                ? Report.fixed(OptionalDouble.of(a.getAsDouble() / b.getAsDouble()), 1, 2)
                : "";
    }
}
