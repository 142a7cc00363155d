package org.tornadodit.model.metrics;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.CheckpointException;

/**
 * The weights of Inception v3 as FID uses it, by the names of {@code pt_inception-2015-12-05-6726825d.pth}, with BatchNorm folded
 * into the convolutions.
 *
 * @param convolutions by name, such as {@code Mixed_5b.branch1x1}
 * @param classifier (1008, 2048), without the bias, which ADM's evaluator leaves out
 */
public record InceptionWeights(Map<String, Convolution> convolutions, Tensor classifier) {

    /** Elements of the pooled features. */
    public static final int POOLED = 2048;

    /** Classes of the classifier. */
    public static final int CLASSES = 1008;

    private static final double EPSILON = 0.001;
    private static final String WANTED =
            "expected pt_inception-2015-12-05-6726825d.pth of torch-fidelity or pytorch-fid";

    /**
     * A convolution that is followed by ReLU.
     *
     * @param weight (out, in, rows, columns)
     * @param bias (out)
     * @param stride in both directions
     * @param padding zeros on each side, rows and columns
     */
    public record Convolution(Tensor weight, Tensor bias, int stride, Padding padding) {}

    /** Zeros above and below, left and right. */
    public record Padding(int rows, int columns) {}

    /**
     * What the network has, in the order of its definition.
     *
     * @param shape of the weight
     */
    record Spec(String name, Shape shape, int stride, Padding padding) {}

    /** All convolutions. */
    static List<Spec> specs() {
        Specs specs = new Specs();
        specs.add("Conv2d_1a_3x3", 3, 32, 3, 3, 2, false);
        specs.add("Conv2d_2a_3x3", 32, 32, 3, 3, 1, false);
        specs.add("Conv2d_2b_3x3", 32, 64, 3, 3, 1, true);
        specs.add("Conv2d_3b_1x1", 64, 80, 1, 1, 1, false);
        specs.add("Conv2d_4a_3x3", 80, 192, 3, 3, 1, false);
        specs.blockA("Mixed_5b.", 192, 32);
        specs.blockA("Mixed_5c.", 256, 64);
        specs.blockA("Mixed_5d.", 288, 64);
        specs.add("Mixed_6a.branch3x3", 288, 384, 3, 3, 2, false);
        specs.add("Mixed_6a.branch3x3dbl_1", 288, 64, 1, 1, 1, false);
        specs.add("Mixed_6a.branch3x3dbl_2", 64, 96, 3, 3, 1, true);
        specs.add("Mixed_6a.branch3x3dbl_3", 96, 96, 3, 3, 2, false);
        specs.blockC("Mixed_6b.", 128);
        specs.blockC("Mixed_6c.", 160);
        specs.blockC("Mixed_6d.", 160);
        specs.blockC("Mixed_6e.", 192);
        specs.add("Mixed_7a.branch3x3_1", 768, 192, 1, 1, 1, false);
        specs.add("Mixed_7a.branch3x3_2", 192, 320, 3, 3, 2, false);
        specs.add("Mixed_7a.branch7x7x3_1", 768, 192, 1, 1, 1, false);
        specs.add("Mixed_7a.branch7x7x3_2", 192, 192, 1, 7, 1, true);
        specs.add("Mixed_7a.branch7x7x3_3", 192, 192, 7, 1, 1, true);
        specs.add("Mixed_7a.branch7x7x3_4", 192, 192, 3, 3, 2, false);
        specs.blockE("Mixed_7b.", 1280);
        specs.blockE("Mixed_7c.", 2048);
        return specs.all;
    }

    private static final class Specs {
        private final List<Spec> all = new ArrayList<>();

        void add(String name, int in, int out, int rows, int columns, int stride, boolean same) {
            Padding padding = same ? new Padding(rows / 2, columns / 2) : new Padding(0, 0);
            all.add(new Spec(name, Shape.of(out, in, rows, columns), stride, padding));
        }

        private void one(String name, int in, int out) {
            add(name, in, out, 1, 1, 1, false);
        }

        private void same(String name, int in, int out, int rows, int columns) {
            add(name, in, out, rows, columns, 1, true);
        }

        void blockA(String block, int in, int pool) {
            one(block + "branch1x1", in, 64);
            one(block + "branch5x5_1", in, 48);
            same(block + "branch5x5_2", 48, 64, 5, 5);
            one(block + "branch3x3dbl_1", in, 64);
            same(block + "branch3x3dbl_2", 64, 96, 3, 3);
            same(block + "branch3x3dbl_3", 96, 96, 3, 3);
            one(block + "branch_pool", in, pool);
        }

        void blockC(String block, int middle) {
            one(block + "branch1x1", 768, 192);
            one(block + "branch7x7_1", 768, middle);
            same(block + "branch7x7_2", middle, middle, 1, 7);
            same(block + "branch7x7_3", middle, 192, 7, 1);
            one(block + "branch7x7dbl_1", 768, middle);
            same(block + "branch7x7dbl_2", middle, middle, 7, 1);
            same(block + "branch7x7dbl_3", middle, middle, 1, 7);
            same(block + "branch7x7dbl_4", middle, middle, 7, 1);
            same(block + "branch7x7dbl_5", middle, 192, 1, 7);
            one(block + "branch_pool", 768, 192);
        }

        void blockE(String block, int in) {
            one(block + "branch1x1", in, 320);
            one(block + "branch3x3_1", in, 384);
            same(block + "branch3x3_2a", 384, 384, 1, 3);
            same(block + "branch3x3_2b", 384, 384, 3, 1);
            one(block + "branch3x3dbl_1", in, 448);
            same(block + "branch3x3dbl_2", 448, 384, 3, 3);
            same(block + "branch3x3dbl_3a", 384, 384, 1, 3);
            same(block + "branch3x3dbl_3b", 384, 384, 3, 1);
            one(block + "branch_pool", in, 192);
        }
    }

    /** Where tensors come from. */
    interface Source {
        /** The tensor of a name, which has this shape. */
        Tensor tensor(String name, Shape shape);
    }

    /**
     * Reads a {@code .pth} or {@code .safetensors} file.
     *
     * @throws CheckpointException when it cannot be read, a tensor is missing or of another shape, or the file changes meanwhile
     */
    public static InceptionWeights open(Path file) {
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            InceptionWeights weights;
            try {
                weights = of((name, shape) -> tensor(checkpoint, name, shape));
            } catch (RuntimeException | Error failure) { // a page that is gone is an InternalError
                checkpoint.requireIntact();
                throw failure;
            }
            checkpoint.requireIntact();
            return weights;
        }
    }

    private static Tensor tensor(Checkpoint checkpoint, String name, Shape shape) {
        if (!checkpoint.names().contains(name)) {
            throw new CheckpointException(
                    "%s: Inception's weights: no tensor %s; %s".formatted(checkpoint.path(), name, WANTED));
        }
        Tensor tensor = checkpoint.tensor(name);
        if (!tensor.shape().equals(shape)) {
            throw new CheckpointException("%s: %s: expected shape %s, found shape %s"
                    .formatted(checkpoint.path(), name, shape, tensor.shape()));
        }
        return tensor;
    }

    /** Folds and copies the tensors of a source, 96 MB. */
    static InceptionWeights of(Source source) {
        Map<String, Convolution> convolutions = new HashMap<>();
        for (Spec spec : specs()) {
            convolutions.put(spec.name(), folded(spec, source));
        }
        Shape shape = Shape.of(CLASSES, POOLED);
        return new InceptionWeights(
                convolutions,
                Tensor.of("fc.weight", shape, source.tensor("fc.weight", shape).toArray()));
    }

    private static Convolution folded(Spec spec, Source source) {
        int out = Math.toIntExact(spec.shape().dim(0));
        float[] weight =
                source.tensor(spec.name() + ".conv.weight", spec.shape()).toArray();
        float[] gamma = norm(source, spec, "weight");
        float[] beta = norm(source, spec, "bias");
        float[] mean = norm(source, spec, "running_mean");
        float[] variance = norm(source, spec, "running_var");
        float[] bias = new float[out];
        int each = weight.length / out;
        for (int c = 0; c < out; c++) {
            double scale = gamma[c] / Math.sqrt(variance[c] + EPSILON);
            bias[c] = (float) (beta[c] - mean[c] * scale);
            for (int i = c * each; i < (c + 1) * each; i++) {
                weight[i] = (float) (weight[i] * scale);
            }
        }
        return new Convolution(
                Tensor.of(spec.name() + ".weight", spec.shape(), weight),
                Tensor.of(spec.name() + ".bias", Shape.of(out), bias),
                spec.stride(),
                spec.padding());
    }

    private static float[] norm(Source source, Spec spec, String name) {
        return source.tensor(spec.name() + ".bn." + name, Shape.of(spec.shape().dim(0)))
                .toArray();
    }
}
