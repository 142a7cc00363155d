package org.tornadodit.runner.bulk;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a worker makes, and where. */
final class BulkOptions {
    /** As facebookresearch/DiT's {@code sample_ddp.py} has it. */
    private static final int USUAL_SAMPLES = 50_000;

    private static final String DEFAULT_FOLDER = "samples";
    private static final int ON_DEVICES = 32;
    private static final int ON_THE_CPU = 8;
    private static final int MOST_PLACES = 4096;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description =
                    "The folder of the pictures, 000000.png and so on, which is made where there is none. Default:"
                            + " a folder of --sample-dir")
    @Nullable
    Path output;

    @Option(
            names = "--sample-dir",
            paramLabel = "DIR",
            description = "Above a folder named as sample_ddp.py names it, such as"
                    + " DiT-XL-2-pretrained-size-256-vae-ema-cfg-1.5-seed-0. Default: " + DEFAULT_FOLDER)
    @Nullable
    Path sampleDir;

    @Option(
            names = {"--num-samples", "--num-fid-samples"},
            paramLabel = "N",
            description = "Pictures in all, up to " + PictureSeed.MOST_PICTURES + ". Default: " + USUAL_SAMPLES
                    + ", or as many as the file of --labels has lines")
    @Nullable
    Integer numSamples;

    @Option(
            names = "--shard",
            paramLabel = "I/N",
            description = "Make every Nth picture from picture I on, 0 for the first. Default: what a Slurm array"
                    + " (SLURM_ARRAY_TASK_ID) or a Kubernetes Job (JOB_COMPLETION_INDEX, JOB_COMPLETIONS) says;"
                    + " else all")
    @Nullable
    String shard;

    @Option(
            names = "--labels",
            paramLabel = "random|uniform|FILE",
            defaultValue = Labels.RANDOM,
            description =
                    "Class of each picture: random, drawn by the picture's seed; uniform, one class after the other"
                            + " over and over; or a file with a class a line. Default: ${DEFAULT-VALUE}")
    String labels = Labels.RANDOM;

    @Option(
            names = "--per-proc-batch-size",
            paramLabel = "N",
            description = "Pictures that a device has in work at a time; they do not depend on it. Default: "
                    + ON_DEVICES + ", on the CPU " + ON_THE_CPU)
    @Nullable
    Integer batchSize;

    @Option(
            names = "--collect",
            paramLabel = "DIR",
            description = "Make nothing: check that all pictures of the folder are there and whole, and write them into"
                    + " one .npz (arr_0, uint8, N x H x W x 3), with its SHA-256 beside it")
    @Nullable
    Path collect;

    @Option(names = "--npz", paramLabel = "FILE.npz", description = "What --collect writes. Default: DIR.npz")
    @Nullable
    Path npz;

    @Option(names = "--dry-run", description = "Print what would be done, and stop")
    boolean dryRun;

    @Option(names = "--quiet", description = "No progress")
    boolean quiet;

    /** @throws IllegalArgumentException when an option is out of range, or does not go with another */
    void check() {
        if (numSamples != null && (numSamples < 1 || numSamples > PictureSeed.MOST_PICTURES)) {
            throw new IllegalArgumentException(
                    "--num-samples is %d, expected 1 to %d".formatted(numSamples, PictureSeed.MOST_PICTURES));
        }
        if (batchSize != null && (batchSize < 1 || batchSize > MOST_PLACES)) {
            throw new IllegalArgumentException(
                    "--per-proc-batch-size is %d, expected 1 to %d".formatted(batchSize, MOST_PLACES));
        }
        if (output != null && sampleDir != null) {
            throw new IllegalArgumentException("--output and --sample-dir both name the folder; leave one of them out");
        }
        if (npz != null && collect == null) {
            throw new IllegalArgumentException("--npz has no effect without --collect");
        }
    }

    /** Pictures where no file says how many. */
    int samples() {
        return numSamples == null ? USUAL_SAMPLES : numSamples;
    }

    /** @param devices 0 for the CPU engine */
    int places(int devices) {
        int each = batchSize != null ? batchSize : devices == 0 ? ON_THE_CPU : ON_DEVICES;
        return Math.min(MOST_PLACES, each * Math.max(1, devices));
    }

    /** @param name that the run's folder gets in {@code --sample-dir} */
    Path folder(String name) {
        if (output != null) {
            return output;
        }
        return (sampleDir == null ? Path.of(DEFAULT_FOLDER) : sampleDir).resolve(name);
    }
}
