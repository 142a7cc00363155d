package org.tornadodit.model.metrics;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.CheckpointException;

/**
 * The weights of LPIPS (VGG): the 13 convolutions of VGG16, and the five linear heads that weigh its channels.
 *
 * @param convolutions in order, five stages of 2, 2, 3, 3 and 3
 * @param heads a weight for each channel of a stage's last activations: 64, 128, 256, 512, 512
 */
public record LpipsWeights(List<Convolution> convolutions, List<Tensor> heads) {

    /**
     * One 3 x 3 convolution.
     *
     * @param weight (out, in, 3, 3)
     * @param bias (out)
     */
    public record Convolution(Tensor weight, Tensor bias) {}

    /** Convolutions of each stage; a pooling by 2 lies between stages. */
    static final List<Integer> STAGES = List.of(2, 2, 3, 3, 3);
    /** Channels of each stage. */
    static final List<Integer> CHANNELS = List.of(64, 128, 256, 512, 512);
    /** Index of each convolution in torchvision's {@code vgg16().features}. */
    private static final List<Integer> FEATURES = List.of(0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28);

    private static final int KERNEL = 3;
    private static final String WANTED =
            "expected torchvision's vgg16-397923af.pth and LPIPS' heads (vgg.pth of lpips or torchmetrics)";

    /** @throws IllegalArgumentException when there are not 13 convolutions and 5 heads */
    public LpipsWeights {
        convolutions = List.copyOf(convolutions);
        heads = List.copyOf(heads);
        if (convolutions.size() != FEATURES.size() || heads.size() != CHANNELS.size()) {
            throw new IllegalArgumentException("%d convolutions and %d heads: expected %d and %d"
                    .formatted(convolutions.size(), heads.size(), FEATURES.size(), CHANNELS.size()));
        }
    }

    /**
     * Reads a folder that holds both files, or one file that holds all tensors: {@code .pth}, {@code .pt} or
     * {@code .safetensors}.
     *
     * <p>Names: VGG16's as in torchvision ({@code features.0.weight}) or in a whole LPIPS module
     * ({@code net.slice1.0.weight}); heads' as in lpips and torchmetrics ({@code lin0.model.1.weight}).
     *
     * @throws CheckpointException when a file cannot be read, or tensors are missing or of another shape, or a
     *     file changes while it is read
     */
    public static LpipsWeights open(Path fileOrFolder) {
        List<Checkpoint> files = new ArrayList<>();
        try {
            for (Path file : files(fileOrFolder)) {
                files.add(Checkpoints.open(file));
            }
            return load(fileOrFolder, files);
        } finally {
            files.forEach(Checkpoint::close);
        }
    }

    /** Copies the tensors onto the heap (59 MB), so that the checkpoints may be closed. */
    static LpipsWeights load(Path from, List<Checkpoint> files) {
        LpipsWeights weights;
        try {
            weights = copy(from, files);
        } catch (RuntimeException | Error failure) { // a page that is gone is an InternalError
            files.forEach(Checkpoint::requireIntact);
            throw failure;
        }
        files.forEach(Checkpoint::requireIntact);
        return weights;
    }

    private static LpipsWeights copy(Path from, List<Checkpoint> files) {
        List<Convolution> convolutions = new ArrayList<>();
        int in = RgbImage.CHANNELS;
        for (int stage = 0; stage < STAGES.size(); stage++) {
            int out = CHANNELS.get(stage);
            for (int i = 0; i < STAGES.get(stage); i++) {
                int feature = FEATURES.get(convolutions.size());
                List<String> names = List.of("features." + feature, "net.slice" + (stage + 1) + "." + feature);
                convolutions.add(new Convolution(
                        find(from, files, names, ".weight", Shape.of(out, in, KERNEL, KERNEL)),
                        find(from, files, names, ".bias", Shape.of(out))));
                in = out;
            }
        }
        List<Tensor> heads = new ArrayList<>();
        for (int stage = 0; stage < STAGES.size(); stage++) {
            List<String> names =
                    List.of("lin" + stage + ".model.1", "lins." + stage + ".model.1", "lin" + stage + ".model.0");
            heads.add(find(from, files, names, ".weight", Shape.of(1, CHANNELS.get(stage), 1, 1)));
        }
        return new LpipsWeights(convolutions, heads);
    }

    private static Tensor find(Path from, List<Checkpoint> files, List<String> names, String suffix, Shape shape) {
        for (Checkpoint file : files) {
            for (String name : names) {
                if (file.names().contains(name + suffix)) {
                    Tensor tensor = file.tensor(name + suffix);
                    if (!tensor.shape().equals(shape)) {
                        throw new CheckpointException("%s: %s: expected shape %s, found shape %s"
                                .formatted(file.path(), tensor.name(), shape, tensor.shape()));
                    }
                    return Tensor.of(tensor.name(), shape, tensor.toArray());
                }
            }
        }
        throw new CheckpointException(
                "%s: LPIPS weights: no tensor %s; %s".formatted(from, names.getFirst() + suffix, WANTED));
    }

    private static List<Path> files(Path fileOrFolder) {
        if (!Files.isDirectory(fileOrFolder)) {
            return List.of(fileOrFolder);
        }
        try (Stream<Path> entries = Files.list(fileOrFolder)) {
            List<Path> files = entries.filter(LpipsWeights::isWeights).sorted().toList();
            if (files.isEmpty()) {
                throw new CheckpointException(
                        "%s: LPIPS weights: no .pth, .pt or .safetensors file; %s".formatted(fileOrFolder, WANTED));
            }
            return files;
        } catch (IOException | UncheckedIOException e) {
            throw new CheckpointException(fileOrFolder + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    private static boolean isWeights(Path path) {
        @Nullable Path fileName = path.getFileName();
        String name = fileName == null ? "" : fileName.toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".pth") || name.endsWith(".pt") || name.endsWith(".safetensors");
    }
}
