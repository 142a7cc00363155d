package org.tornadodit.runner.report;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tornadodit.runner.report.Block.Paragraph;
import org.tornadodit.runner.report.Block.Table;

/**
 * Pictures of several models beside PyTorch's in strict FP32.
 *
 * @param run of {@code bench/fidelity.py}
 */
record Fidelity(RecordedRun run) {
    private static final Pattern CUSTOM = Pattern.compile("custom-p(\\d+)-d(\\d+)");

    List<Block> blocks() {
        return List.of(
                new Paragraph("The same weights, labels and noise in both programs, the PNG grids compared. %s (%s)."
                        .formatted(run.conditions(), run.file())),
                new Table(
                        List.of(
                                "model",
                                "precision",
                                "guidance",
                                "steps",
                                "mean absolute difference, 0..255",
                                "PSNR, dB",
                                "SSIM",
                                "LPIPS",
                                "strict gates"),
                        run.objects("rows").stream()
                                .map(row -> List.of(
                                        model(RecordedRun.text(row, "case")),
                                        RecordedRun.text(row, "precision"),
                                        RecordedRun.text(row, "guidance"),
                                        RecordedRun.text(row, "steps"),
                                        Report.fixed(RecordedRun.number(row, "mae"), 1, 4),
                                        Report.fixed(RecordedRun.number(row, "psnr"), 1, 1),
                                        Report.fixed(RecordedRun.number(row, "ssim"), 1, 6),
                                        Report.fixed(RecordedRun.number(row, "lpips"), 1, 4),
                                        RecordedRun.text(row, "gates")))
                                .toList()));
    }

    /** Whether a row is of the challenge's run. */
    static boolean challenge(JsonObject row) {
        return RecordedRun.text(row, "case").equals("xl2")
                && RecordedRun.text(row, "steps").equals("250");
    }

    /** A case in words. */
    private static String model(String name) {
        if (name.equals("xl2")) {
            return "DiT-XL/2, 512 x 512";
        }
        if (name.matches("demo(-.*)?")) {
            return "demo model, 128 x 128";
        }
        Matcher custom = CUSTOM.matcher(name);
        return custom.matches()
                ? "custom model, patches of %s, %s blocks".formatted(custom.group(1), custom.group(2))
                : name;
    }
}
