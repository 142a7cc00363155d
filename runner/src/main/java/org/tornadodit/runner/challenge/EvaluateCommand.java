package org.tornadodit.runner.challenge;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.JavaHeap;
import org.tornadodit.model.Printable;
import org.tornadodit.model.cpu.CpuFeatureConvolution;
import org.tornadodit.model.cpu.Workers;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.metrics.DifferencePicture;
import org.tornadodit.model.metrics.Gates;
import org.tornadodit.model.metrics.ImageFileException;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.ImageMetrics;
import org.tornadodit.model.metrics.Lanczos;
import org.tornadodit.model.metrics.Lpips;
import org.tornadodit.model.metrics.LpipsWeights;
import org.tornadodit.model.metrics.RgbImage;
import org.tornadodit.runner.output.OutputFile;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.terminal.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares images with a baseline, as the challenge's evaluate.py does. */
@Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Compares images with a baseline: mean absolute difference (0..255), LPIPS, PSNR and SSIM, as the DiT"
                    + " challenge's evaluate.py and torchmetrics give them. Two folders are compared file by file, by"
                    + " name. With --npz: FID, sFID, Inception Score, precision and recall of sets of pictures.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  dit evaluate baseline.png sample.png --gates strict",
            "  dit evaluate theirs/ ours/ --format json",
            "  dit evaluate a.png b.png --diff difference.png",
            "  dit evaluate --npz a.npz b.npz --inception-weights in.pth"
        })
public final class EvaluateCommand implements Callable<Integer> {

    /** Which bounds to keep. */
    enum GateChoice {
        STRICT,
        FINAL,
        NONE;

        @Nullable
        Gates bounds() {
            return switch (this) {
                case STRICT -> Gates.STRICT;
                case FINAL -> Gates.FINAL;
                case NONE -> null;
            };
        }
    }

    /** What stdout carries. */
    enum Format {
        TEXT,
        JSON
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "BASELINE",
            description = "PNG or JPEG, or a folder of them; with --npz the reference")
    @SuppressWarnings("NullAway.Init") // required
    Path baseline;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "CANDIDATE",
            description = "Images or folders of images; with --npz samples")
    @SuppressWarnings("NullAway.Init") // required
    List<Path> candidates;

    @Option(
            names = "--gates",
            paramLabel = "strict|final|none",
            defaultValue = "none",
            description = "Bounds on every image. strict: MAE <= 0.01, LPIPS <= 0.01, SSIM >= 0.99, PSNR > 40 dB; "
                    + "final: MAE <= 80, LPIPS <= 0.7, SSIM >= 0.3, PSNR > 5 dB. Exit code 5 when one fails. "
                    + "Default: ${DEFAULT-VALUE}")
    GateChoice gates = GateChoice.NONE;

    @Option(
            names = "--lpips-weights",
            paramLabel = "FILE|DIR",
            description = "Weights of LPIPS (VGG): a folder with torchvision's vgg16-397923af.pth and the linear heads"
                    + " (vgg.pth of the lpips or torchmetrics package), or one .pth or .safetensors with all"
                    + " tensors")
    @Nullable
    Path lpipsWeights;

    @Option(
            names = "--npz",
            description =
                    "The files are .npz of pictures, arr_0, uint8 (N, H, W, 3), as bulk and ADM's evaluator have them:"
                            + " distances of sets of pictures. Wants --inception-weights")
    boolean npz;

    @Option(
            names = "--inception-weights",
            paramLabel = "FILE",
            description = "Weights of Inception v3 for --npz: pt_inception-2015-12-05-6726825d.pth of torch-fidelity or"
                    + " pytorch-fid")
    @Nullable
    Path inceptionWeights;

    @Option(
            names = "--resize",
            description =
                    "Resize a candidate of another size to the baseline's (Lanczos, as Pillow); else it is an error")
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

    @Override
    public Integer call() throws IOException {
        TypedOptions typed = new TypedOptions(spec.commandLine());
        try {
            if (npz) {
                typed.refuse(
                        List.of("--gates", "--lpips-weights", "--resize", "--diff"),
                        "with --npz, which compares sets of pictures; leave it out");
                if (inceptionWeights == null) {
                    throw new IllegalArgumentException(
                            "--npz wants --inception-weights: pt_inception-2015-12-05-6726825d.pth"
                                    + " of torch-fidelity or pytorch-fid");
                }
            } else {
                typed.refuse(List.of("--inception-weights"), "without --npz; leave it out, or give --npz");
            }
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        if (inceptionWeights != null) {
            new SetEvaluation(inceptionWeights, spec.commandLine().getErr())
                    .print(
                            baseline,
                            candidates,
                            format == Format.JSON,
                            spec.commandLine().getOut());
            return ExitCode.DONE;
        }
        if (diff != null) {
            try {
                OutputFile.requireSuffix("--diff", diff, ".png");
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
            }
            OutputFile.requireWritable(diff);
            List<Path> inputs = new ArrayList<>(candidates);
            inputs.add(baseline);
            if (lpipsWeights != null) {
                inputs.add(lpipsWeights);
            }
            OutputFile.requireNoInput(diff, inputs);
        }
        List<Pair> pairs = pairs();
        EvaluationReport report;
        if (lpipsWeights == null) {
            report = new EvaluationReport(compare(pairs, null), gates.bounds());
        } else {
            LpipsWeights weights = LpipsWeights.open(lpipsWeights);
            try (Workers workers = Workers.ofAllCores()) {
                Lpips lpips = new Lpips(weights, new CpuFeatureConvolution(workers));
                report = new EvaluationReport(compare(pairs, lpips), gates.bounds());
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        if (format == Format.JSON) {
            report.printJson(out);
        } else {
            report.printText(out);
        }
        return judge(report);
    }

    private List<EvaluationReport.Result> compare(List<Pair> pairs, @Nullable Lpips lpips) throws IOException {
        List<EvaluationReport.Result> results = new ArrayList<>();
        for (Pair pair : pairs) {
            requireComparable(pair, lpips != null, diff != null && results.isEmpty());
            RgbImage first = ImageFiles.read(pair.baseline());
            RgbImage second = Lanczos.resize(ImageFiles.read(pair.candidate()), first.width(), first.height());
            OptionalDouble distance =
                    lpips == null ? OptionalDouble.empty() : OptionalDouble.of(lpips.compare(first, second));
            results.add(new EvaluationReport.Result(
                    pair.baseline(), pair.candidate(), ImageMetrics.compare(first, second), distance));
            if (diff != null && results.size() == 1) {
                RgbImage picture = DifferencePicture.of(first, second, DifferencePicture.gain(first, second));
                AtomicFile.write(diff, out -> ImageFiles.writePng(picture, out));
            }
        }
        return results;
    }

    /** Looks at the sizes, before anything takes memory. */
    private void requireComparable(Pair pair, boolean lpips, boolean difference) throws IOException {
        ImageFiles.Size first = ImageFiles.size(pair.baseline());
        ImageFiles.Size second = ImageFiles.size(pair.candidate());
        ComparisonMemory memory = new ComparisonMemory(first, second, lpips, difference);
        String sizes = "%s is %d x %d, %s is %d x %d"
                .formatted(
                        Printable.path(pair.candidate()),
                        second.width(),
                        second.height(),
                        Printable.path(pair.baseline()),
                        first.width(),
                        first.height());
        if (memory.resizes() && !resize) {
            throw new IOException(sizes + "; give --resize to compare them all the same");
        }
        if (memory.resizes() && !Lanczos.fits(second.height(), first.width(), first.height())) {
            throw new IOException("%s; resized in width first, it would have more than %d pixels"
                    .formatted(sizes, RgbImage.MAX_PIXELS));
        }
        if (lpips && Math.min(first.width(), first.height()) < Lpips.MIN_SIZE) {
            throw new IOException("%s is %d x %d, LPIPS needs at least %d x %d; leave out --lpips-weights"
                    .formatted(
                            Printable.path(pair.baseline()),
                            first.width(),
                            first.height(),
                            Lpips.MIN_SIZE,
                            Lpips.MIN_SIZE));
        }
        if (difference && 3 * first.pixels() > RgbImage.MAX_PIXELS) {
            throw new IOException("%s is %d x %d; --diff would write more than %d pixels"
                    .formatted(Printable.path(pair.baseline()), first.width(), first.height(), RgbImage.MAX_PIXELS));
        }
        if (!JavaHeap.holds(memory.bytes())) {
            throw new IOException("%s; comparing them %stakes %s"
                    .formatted(sizes, lpips ? "by LPIPS " : "", JavaHeap.shortage(memory.bytes())));
        }
    }

    private List<Pair> pairs() throws IOException {
        List<Pair> pairs = new ArrayList<>();
        for (Path candidate : candidates) {
            for (Path image : images(candidate)) {
                Path first = Files.isDirectory(baseline) ? baseline.resolve(image.getFileName()) : baseline;
                if (!Files.exists(first)) {
                    throw new ImageFileException(
                            "there is no baseline %s for %s".formatted(Printable.path(first), Printable.path(image)));
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
                throw new IOException("there is no .png, .jpg or .jpeg in " + Printable.path(path));
            }
            return images;
        }
    }

    private static boolean isImage(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".png") || name.endsWith(".jpg") || name.endsWith(".jpeg");
    }

    /** Says on stderr what failed, or that all holds, and what could not be judged. */
    private int judge(EvaluationReport report) {
        PrintWriter err = spec.commandLine().getErr();
        if (!report.hasLpips()) {
            err.println("LPIPS was not measured: give --lpips-weights a folder with torchvision's vgg16-397923af.pth"
                    + " and LPIPS' linear heads (vgg.pth of the lpips or torchmetrics package)");
        }
        if (report.gates() == null) {
            return ExitCode.DONE;
        }
        List<String> failures = report.failures();
        failures.forEach(failure -> err.println("dit: " + failure));
        if (!failures.isEmpty()) {
            return ExitCode.GATE_FAILED;
        }
        err.println("all " + report.gates().name() + " gates hold" + (report.hasLpips() ? "" : ", without LPIPS"));
        return ExitCode.DONE;
    }
}
