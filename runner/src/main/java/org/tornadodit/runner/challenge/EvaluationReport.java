package org.tornadodit.runner.challenge;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.metrics.Gates;
import org.tornadodit.model.metrics.ImageMetrics;

/**
 * The figures of all pairs, in the words of the challenge's evaluate.py or as JSON.
 *
 * @param results at least one
 * @param gates bounds on every pair; null when there are none
 */
record EvaluationReport(List<Result> results, @Nullable Gates gates) {

    /**
     * The figures of one pair.
     *
     * @param lpips empty when there were no weights
     */
    record Result(Path baseline, Path candidate, ImageMetrics metrics, OptionalDouble lpips) {}

    /** A line for each gate that fails, with the image's name. */
    List<String> failures() {
        List<String> failures = new ArrayList<>();
        if (gates != null) {
            for (Result result : results) {
                for (String failure : gates.failures(result.metrics(), result.lpips())) {
                    failures.add(Printable.path(result.candidate()) + ": " + failure);
                }
            }
        }
        return failures;
    }

    /** Whether LPIPS was measured; of all pairs or of none. */
    boolean hasLpips() {
        return results.getFirst().lpips().isPresent();
    }

    /** evaluate.py's lines, means over the pairs; before them a line a pair where there are several. */
    void printText(PrintWriter out) {
        if (results.size() > 1) {
            for (Result result : results) {
                ImageMetrics metrics = result.metrics();
                out.println("%s: mean absolute difference %s, %sPSNR %s dB, SSIM %s"
                        .formatted(
                                Printable.path(result.candidate()),
                                fixed(metrics.mae(), 4),
                                hasLpips() ? "LPIPS " + fixed(result.lpips().getAsDouble(), 4) + ", " : "",
                                fixed(metrics.psnr(), 2),
                                fixed(metrics.ssim(), 4)));
            }
        }
        out.println();
        out.println("=== Image Comparison Metrics ===");
        out.println("Pixel-wise Mean Absolute Difference: "
                + fixed(mean(r -> r.metrics().mae()), 4));
        out.println("LPIPS (VGG):                        "
                + (hasLpips() ? fixed(meanLpips(), 4) : "not measured (needs --lpips-weights)"));
        out.println("PSNR:                              "
                + fixed(mean(r -> r.metrics().psnr()), 2) + " dB");
        out.println("SSIM:                              "
                + fixed(mean(r -> r.metrics().ssim()), 4));
    }

    /** Every figure in full, of each pair and their mean. */
    void printJson(PrintWriter out) {
        JsonObject json = new JsonObject();
        JsonArray images = new JsonArray();
        for (Result result : results) {
            JsonObject image = new JsonObject();
            image.addProperty("baseline", result.baseline().toString());
            image.addProperty("candidate", result.candidate().toString());
            ImageMetrics metrics = result.metrics();
            addMetrics(image, metrics.mae(), result.lpips(), metrics.psnr(), metrics.ssim());
            images.add(image);
        }
        json.add("images", images);
        JsonObject mean = new JsonObject();
        addMetrics(
                mean,
                mean(r -> r.metrics().mae()),
                hasLpips() ? OptionalDouble.of(meanLpips()) : OptionalDouble.empty(),
                mean(r -> r.metrics().psnr()),
                mean(r -> r.metrics().ssim()));
        json.add("mean", mean);
        if (gates != null) {
            JsonObject judged = new JsonObject();
            JsonArray failed = new JsonArray();
            failures().forEach(failed::add);
            judged.addProperty("name", gates.name());
            judged.addProperty("hold", failed.isEmpty());
            judged.add("failures", failed);
            json.add("gates", judged);
        }
        out.println(Printable.json(new GsonBuilder()
                .setPrettyPrinting()
                .disableHtmlEscaping()
                .serializeNulls()
                .create()
                .toJson(json)));
    }

    private double mean(ToDoubleFunction<Result> metric) {
        return results.stream().mapToDouble(metric).average().orElseThrow();
    }

    private double meanLpips() {
        return mean(result -> result.lpips().orElseThrow());
    }

    private static void addMetrics(JsonObject json, double mae, OptionalDouble lpips, double psnr, double ssim) {
        json.add("mae", number(mae));
        json.add("lpips", lpips.isPresent() ? number(lpips.getAsDouble()) : JsonNull.INSTANCE);
        json.add("psnr", number(psnr));
        json.add("ssim", number(ssim));
    }

    /** JSON has no infinity: it is the string "inf" (or "-inf", "nan"), as Python's float() reads it. */
    private static JsonPrimitive number(double value) {
        return Double.isFinite(value) ? new JsonPrimitive(value) : new JsonPrimitive(fixed(value, 0));
    }

    /** As Python's {@code f"{value:.4f}"} has it. */
    private static String fixed(double value, int digits) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        return new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
    }
}
