package org.tornadodit.runner;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.metrics.DifferencePicture;
import org.tornadodit.model.metrics.Gates;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.ImageMetrics;
import org.tornadodit.model.metrics.Lanczos;
import org.tornadodit.model.metrics.RgbImage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares images with a baseline, as the challenge's evaluate.py does. */
@Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Compares images with a baseline: mean absolute difference (0..255), PSNR and SSIM, as torchmetrics",
            "gives them. Two folders are compared file by file, by name."
        })
final class EvaluateCommand implements Callable<Integer> {

    /** Which bounds to keep. */
    enum GateChoice {
        STRICT,
        FINAL,
        NONE
    }

    /** What stdout carries. */
    enum Format {
        TEXT,
        JSON
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Parameters(index = "0", paramLabel = "BASELINE", description = "PNG or JPEG, or a folder of them")
    @SuppressWarnings("NullAway.Init") // required
    Path baseline;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "CANDIDATE", description = "Images or folders of images")
    @SuppressWarnings("NullAway.Init") // required
    List<Path> candidates;

    @Option(
            names = "--gates",
            paramLabel = "strict|final|none",
            defaultValue = "none",
            description = {
                "Bounds on every image. strict: MAE <= 0.01, LPIPS <= 0.01, SSIM >= 0.99, PSNR > 40 dB;",
                "final: MAE <= 80, LPIPS <= 0.7, SSIM >= 0.3, PSNR > 5 dB. Exit code 5 when one fails.",
                "Default: ${DEFAULT-VALUE}"
            })
    GateChoice gates = GateChoice.NONE;

    @Option(
            names = "--resize",
            description = "Resize a candidate of another size to the baseline's (Lanczos, as Pillow); else it is an error")
    boolean resize;

    @Option(
            names = "--format",
            paramLabel = "text|json",
            defaultValue = "text",
            description = "Default: ${DEFAULT-VALUE}")
    Format format = Format.TEXT;

    @Option(
            names = "--diff",
            paramLabel = "FILE.png",
            description = "Write baseline, candidate and amplified difference side by side (of the first pair)")
    @Nullable
    Path diff;

    /** Two images to compare. */
    private record Pair(Path baseline, Path candidate) {}

    /** The figures of one pair. */
    private record Result(Path candidate, ImageMetrics metrics, OptionalDouble lpips) {}

    @Override
    public Integer call() throws IOException {
        if (diff != null) {
            OutputFile.requireWritable(diff);
        }
        List<Result> results = new ArrayList<>();
        for (Pair pair : pairs()) {
            RgbImage first = ImageFiles.read(pair.baseline());
            RgbImage second = sized(ImageFiles.read(pair.candidate()), first, pair);
            results.add(new Result(pair.candidate(), ImageMetrics.compare(first, second), OptionalDouble.empty()));
            if (diff != null && results.size() == 1) {
                RgbImage picture = DifferencePicture.of(first, second, DifferencePicture.gain(first, second));
                OutputFile.write(diff, part -> {
                    try (var out = Files.newOutputStream(part)) {
                        ImageFiles.writePng(picture, out);
                    }
                });
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        if (format == Format.JSON) {
            printJson(out, results);
        } else {
            printText(out, results);
        }
        return judge(results);
    }

    private RgbImage sized(RgbImage candidate, RgbImage reference, Pair pair) throws IOException {
        if (candidate.sameSize(reference)) {
            return candidate;
        }
        if (!resize) {
            throw new IOException("%s is %d x %d, %s is %d x %d; give --resize to compare them all the same"
                    .formatted(
                            pair.candidate(),
                            candidate.width(),
                            candidate.height(),
                            pair.baseline(),
                            reference.width(),
                            reference.height()));
        }
        return Lanczos.resize(candidate, reference.width(), reference.height());
    }

    private List<Pair> pairs() throws IOException {
        List<Pair> pairs = new ArrayList<>();
        for (Path candidate : candidates) {
            for (Path image : images(candidate)) {
                Path first = Files.isDirectory(baseline) ? baseline.resolve(image.getFileName()) : baseline;
                if (!Files.exists(first)) {
                    throw new IOException("there is no baseline %s for %s".formatted(first, image));
                }
                pairs.add(new Pair(first, image));
            }
        }
        return pairs;
    }

    private static List<Path> images(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return List.of(path);
        }
        try (Stream<Path> files = Files.list(path)) {
            List<Path> images = files.filter(EvaluateCommand::isImage).sorted().toList();
            if (images.isEmpty()) {
                throw new IOException("there is no .png, .jpg or .jpeg in " + path);
            }
            return images;
        }
    }

    private static boolean isImage(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".png") || name.endsWith(".jpg") || name.endsWith(".jpeg");
    }

    private static void printText(PrintWriter out, List<Result> results) {
        if (results.size() > 1) {
            for (Result result : results) {
                out.println(String.format(
                        Locale.ROOT,
                        "%s: mean absolute difference %.4f, PSNR %s dB, SSIM %.4f",
                        result.candidate(),
                        result.metrics().mae(),
                        decibels(result.metrics().psnr()),
                        result.metrics().ssim()));
            }
        }
        out.println();
        out.println("=== Image Comparison Metrics ===");
        out.println(String.format(
                Locale.ROOT,
                "Pixel-wise Mean Absolute Difference: %.4f",
                mean(results, r -> r.metrics().mae())));
        out.println("PSNR:                              " + decibels(mean(results, r -> r.metrics().psnr())) + " dB");
        out.println(String.format(
                Locale.ROOT,
                "SSIM:                              %.4f",
                mean(results, r -> r.metrics().ssim())));
    }

    private static String decibels(double psnr) {
        return Double.isInfinite(psnr) ? "inf" : String.format(Locale.ROOT, "%.2f", psnr);
    }

    private static double mean(List<Result> results, ToDoubleFunction<Result> metric) {
        return results.stream().mapToDouble(metric).average().orElseThrow();
    }

    private static void printJson(PrintWriter out, List<Result> results) {
        JsonObject json = new JsonObject();
        JsonArray images = new JsonArray();
        for (Result result : results) {
            JsonObject image = new JsonObject();
            image.addProperty("candidate", result.candidate().toString());
            addMetrics(image, result.metrics().mae(), result.metrics().psnr(), result.metrics().ssim());
            images.add(image);
        }
        json.add("images", images);
        JsonObject mean = new JsonObject();
        addMetrics(
                mean,
                mean(results, r -> r.metrics().mae()),
                mean(results, r -> r.metrics().psnr()),
                mean(results, r -> r.metrics().ssim()));
        json.add("mean", mean);
        out.println(new GsonBuilder().setPrettyPrinting().create().toJson(json));
    }

    /** JSON has no infinity: the PSNR of equal images is the string "inf", as Python's float() reads it. */
    private static void addMetrics(JsonObject json, double mae, double psnr, double ssim) {
        json.addProperty("mae", mae);
        if (Double.isInfinite(psnr)) {
            json.addProperty("psnr", "inf");
        } else {
            json.addProperty("psnr", psnr);
        }
        json.addProperty("ssim", ssim);
    }

    private int judge(List<Result> results) {
        if (gates == GateChoice.NONE) {
            return ExitCode.DONE;
        }
        Gates bounds = gates == GateChoice.STRICT ? Gates.STRICT : Gates.FINAL;
        PrintWriter err = spec.commandLine().getErr();
        int failed = 0;
        for (Result result : results) {
            for (String failure : bounds.failures(result.metrics(), result.lpips())) {
                err.println("dit: " + result.candidate() + ": " + failure);
                failed++;
            }
        }
        if (failed == 0) {
            err.println("all " + bounds.name() + " gates hold (LPIPS not measured)");
        }
        return failed == 0 ? ExitCode.DONE : ExitCode.GATE_FAILED;
    }
}
