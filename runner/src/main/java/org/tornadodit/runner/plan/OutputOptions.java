package org.tornadodit.runner.plan;

import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.metrics.PictureFormat;
import org.tornadodit.runner.output.ImageGrid;
import org.tornadodit.runner.output.OutputFile;
import org.tornadodit.runner.output.PictureOutput;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What a sampling run writes, shows and keeps. */
public final class OutputOptions {
    private static final int MOST_BATCHES = 100_000;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE.png|FILE.webp|DIR/",
            defaultValue = "sample.png",
            converter = PictureOutput.Converter.class,
            description =
                    "The grid, - for stdout; with --batches, one a batch: sample_0.png, ... A folder (DIR/, or one that"
                            + " exists) takes each picture by itself: 0_fox.png, 1_panda.png, or 0_5.png where"
                            + " classes have no names; batches count on. Default: ${DEFAULT-VALUE}")
    public PictureOutput output = PictureOutput.of("sample.png");

    @Option(
            names = "--output-format",
            paramLabel = "png|webp",
            converter = FormatConverter.class,
            description =
                    "png or webp, which is lossless too and a third smaller; for a folder, stdout, or a name without"
                            + " a suffix. Default: what --output ends in, else png")
    @Nullable
    PictureFormat format;

    @Option(
            names = "--nrow",
            paramLabel = "N",
            defaultValue = "" + ImageGrid.IMAGES_PER_ROW,
            description = "Pictures in a row of the grid, as torchvision's make_grid takes it. Default:"
                    + " ${DEFAULT-VALUE}")
    public int perRow = ImageGrid.IMAGES_PER_ROW;

    @Option(
            names = "--save-latents",
            paramLabel = "FILE.npy",
            description = "Also write the latents (N, C, H, W) before the autoencoder, float32")
    @Nullable
    Path saveLatents;

    @Option(
            names = "--batches",
            paramLabel = "N",
            defaultValue = "1",
            description = "Batches of the same labels, one after the other from one stream of noise."
                    + " Default: ${DEFAULT-VALUE}")
    public int batches = 1;

    @Option(
            names = "--skip-batches",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Leave out so many batches at the beginning of the stream of noise. Default: ${DEFAULT-VALUE}")
    public int skipBatches;

    @Option(
            names = "--picture",
            paramLabel = "I",
            description = "Write this picture of a batch alone, 0 for the first, instead of the grid")
    @Nullable
    public Integer picture;

    @Option(
            names = "--preview",
            paramLabel = "STEPS",
            description =
                    "Every so many steps, write the grid as it is so far beside the output, sample.preview.png for"
                            + " sample.png, DIR/preview.png for DIR/; costs a decoding each time. It is deleted when"
                            + " the picture is complete")
    @Nullable
    public Integer preview;

    @Option(
            names = "--checkpoint-steps",
            paramLabel = "N",
            description =
                    "Every N steps, keep the state of the run in a file beside the output, sample.state.safetensors"
                            + " for sample.png, DIR/state.safetensors for DIR/, for --resume to go on from; it is"
                            + " deleted when the run is complete")
    @Nullable
    public Integer checkpointSteps;

    @Option(
            names = "--resume",
            paramLabel = "FILE",
            description = "Go on from the state of a run that was stopped, to the same pictures. The other options have"
                    + " to be those of that run; the devices may be others")
    @Nullable
    public Path resume;

    @Option(names = "--dry-run", description = "Print what would be done, and stop")
    public boolean dryRun;

    @Option(names = "--quiet", description = "No progress")
    public boolean quiet;

    /** @throws IllegalArgumentException when an option is out of range, or does not go with another */
    public void check() {
        if (batches < 1 || batches > MOST_BATCHES) {
            throw new IllegalArgumentException("--batches is %d, expected 1 to %d".formatted(batches, MOST_BATCHES));
        }
        if (skipBatches < 0 || skipBatches > MOST_BATCHES) {
            throw new IllegalArgumentException(
                    "--skip-batches is %d, expected 0 to %d".formatted(skipBatches, MOST_BATCHES));
        }
        if (perRow < 1) {
            throw new IllegalArgumentException("--nrow is %d, expected at least 1 picture a row".formatted(perRow));
        }
        if (!output.folder()) {
            OutputFile.requireSuffix(
                    "--output",
                    output.path(),
                    Arrays.stream(PictureFormat.values())
                            .map(PictureFormat::suffix)
                            .toArray(String[]::new));
            if (format != null && hasSuffix() && format != PictureFormat.of(output.path())) {
                throw new IllegalArgumentException("--output-format is %s, and --output %s is another format's name"
                        .formatted(format.option(), output));
            }
        }
        OutputFile.requireSuffix("--save-latents", saveLatents, ".npy");
        requireSteps("--preview", preview);
        requireSteps("--checkpoint-steps", checkpointSteps);
        if (toStdout() && (batches > 1 || preview != null || checkpointSteps != null)) {
            throw new IllegalArgumentException("--output " + output + " takes one picture, and has no file beside it: "
                    + "--batches, --preview and --checkpoint-steps want a file name");
        }
    }

    /**
     * As above, once the run is known.
     *
     * @param samples of a batch
     * @param size of a sample, pixels a side
     * @throws IllegalArgumentException when a picture is asked for that there is not, or one that the format does not hold, or
     *     an option would never come into effect in so many steps
     */
    public void checkReached(int samples, int size, int steps) {
        if (picture != null && (picture < 0 || picture >= samples)) {
            throw new IllegalArgumentException(
                    "--picture is %d, expected 0 to %d: a batch has %d".formatted(picture, samples - 1, samples));
        }
        if (output.folder() || picture != null) {
            format().requireHolds(size, size);
        } else {
            format().requireHolds(ImageGrid.width(samples, perRow, size), ImageGrid.height(samples, perRow, size));
        }
        requireReached("--preview", preview, steps - 1);
        requireReached("--checkpoint-steps", checkpointSteps, steps);
    }

    public boolean toStdout() {
        return OutputFile.isStdout(output.path());
    }

    /** The files of the run. */
    public RunFiles files() {
        return new RunFiles(output, format(), saveLatents, batches, perRow);
    }

    private PictureFormat format() {
        return format != null ? format : output.folder() ? PictureFormat.PNG : PictureFormat.of(output.path());
    }

    private boolean hasSuffix() {
        Path name = output.path().getFileName();
        return name != null && name.toString().lastIndexOf('.') > 0;
    }

    private static final class FormatConverter implements ITypeConverter<PictureFormat> {
        @Override
        public PictureFormat convert(String text) {
            return PictureFormat.named(text)
                    .orElseThrow(() -> new TypeConversionException(
                            "\"%s\", expected %s".formatted(Printable.text(text), PictureFormat.options())));
        }
    }

    private static void requireSteps(String option, @Nullable Integer steps) {
        if (steps != null && steps < 1) {
            throw new IllegalArgumentException(option + " is " + steps + ", expected at least 1 step");
        }
    }

    private static void requireReached(String option, @Nullable Integer every, int last) {
        if (every != null && every > last) {
            throw new IllegalArgumentException(
                    "%s %d has no effect: the last step it could follow is %d".formatted(option, every, last));
        }
    }
}
