package org.tornadodit.model.cpu;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.cpu.Attention.Heads;
import org.tornadodit.model.cpu.Elementwise.Modulation;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.DitWeights.Block;
import org.tornadodit.model.dit.DitWeights.HeadNorms;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.dit.TimestepEmbedding;
import org.tornadodit.model.io.tensor.TensorSpec;

/**
 * DiT's forward pass on the CPU (Peebles and Xie, arXiv 2212.09748, figure 3). N images, T tokens, D hidden size, P patch
 * size. An image's result does not depend on the other images of a batch nor on the number of threads, bit for bit. Not
 * for use by several threads at once.
 */
public final class CpuDit implements AutoCloseable {

    /** Most rows (images * tokens) that go through the blocks together: what bounds the memory. */
    public static final int MOST_ROWS = 8192;

    private static final Set<String> NOT_PACKED = Set.of("pos_embed", "y_embedder.embedding_table.weight");

    private final DitConfig config;
    private final DitWeights weights;
    private final Workers workers;
    private final Layers layers;
    private final Elementwise elementwise;
    private final Attention attention;
    private final HeadNorm headNorm;
    private final Patches patches;
    private DitState state;
    private @Nullable Probe probe;
    private @Nullable FiniteSearch search;
    private boolean overflowed;

    public CpuDit(DitConfig config, DitWeights weights, CpuOptions options) {
        this.config = config;
        this.weights = weights;
        this.workers = new Workers(options.threads());
        MatrixProduct product = new PanelProduct();
        this.layers = new Layers(workers, product, keeps(config, options));
        this.elementwise = new Elementwise(workers);
        this.attention = new Attention(workers, product);
        this.headNorm = new HeadNorm(workers);
        this.patches = new Patches(config);
        this.state = new DitState(config, 0);
    }

    /** Heap that it takes all the time: packed weights, and what each thread works with. */
    public static long keptBytes(DitConfig config, CpuOptions options) {
        List<TensorSpec> packed = DitWeights.specs(config).stream()
                .filter(spec -> !NOT_PACKED.contains(spec.name())
                        && !spec.name().contains(".attn.q_norm.")
                        && !spec.name().contains(".attn.k_norm."))
                .toList();
        return Layers.heapBytes(packed, keeps(config, options))
                + Attention.heapBytes(options.threads(), config.tokens(), config.headSize())
                + (long) Float.BYTES * config.tokens() * config.hiddenSize(); // position embedding
    }

    /**
     * Heap that the activations of a call take until {@link #release}, without what goes in and comes out.
     *
     * @param n images of a batch, with guidance twice as many
     */
    public static long activationBytes(DitConfig config, int n) {
        return DitState.heapBytes(config, Math.min(n, Math.max(1, MOST_ROWS / config.tokens())));
    }

    private static boolean keeps(DitConfig config, CpuOptions options) {
        return config.parameters() <= options.packedWeightBytes() / Float.BYTES;
    }

    /** Gives the activations' memory back until the next call. */
    public void release() {
        state = state.released();
    }

    /** Shows the outputs of all parts to a probe from the next call on; null ends it. Without a probe, nothing is copied. */
    public void observe(@Nullable Probe newProbe) {
        probe = newProbe;
    }

    /**
     * Whether a LayerNorm of the last call met values whose variance float32 does not hold. It makes zeros of them, so
     * that the prediction is finite, and wrong.
     */
    public boolean overflowed() {
        return overflowed;
    }

    /**
     * What is the first not to be finite in {@link #forwardWithGuidance}, for a message: the pass is done once more, and
     * all tensors are looked at.
     *
     * @return for example {@code the output of blocks.3.attn.qkv}; empty when all are finite
     */
    public Optional<String> firstNotFinite(
            float[] x, double[] t, double[] intervals, int[] labels, int n2, double scale, Guidance guidance) {
        FiniteSearch all = new FiniteSearch();
        search = all;
        try {
            all.look("the input", x, x.length / 2);
            float[] out = forwardWithGuidance(x, t, intervals, labels, n2, scale, guidance);
            all.look("the guided prediction", out, out.length);
            return all.found();
        } finally {
            search = null;
        }
    }

    /**
     * The model's prediction ({@code DiT.forward}).
     *
     * @param x (N, C, H, W) noised latents
     * @param t (N) timesteps, 0 to 999, fractions allowed; of models of a velocity 0 to 1
     * @param intervals (N) what a second embedding takes, t - r; read by models that have one
     * @param labels (N) classes; the number of classes itself is the null class
     * @param n N
     * @return (N, outChannels, H, W): predicted noise, then with {@code learnSigma} the interpolation of its variance
     * @throws IllegalArgumentException when a length or a label does not fit
     */
    public float[] forward(float[] x, double[] t, double[] intervals, int[] labels, int n) {
        requireInputs(x, t, labels, n);
        requireLength("intervals", intervals.length, n);
        float[] out = new float[Math.multiplyExact(n, config.outputElements())];
        overflowed = false;
        int most = Math.max(1, MOST_ROWS / config.tokens());
        for (int first = 0; first < n; first += most) {
            forwardTogether(x, t, intervals, labels, first, Math.min(most, n - first), out);
        }
        return out;
    }

    /** As above, of a model with one time. */
    public float[] forward(float[] x, double[] t, int[] labels, int n) {
        return forward(x, t, new double[n], labels, n);
    }

    private void forwardTogether(
            float[] x, double[] t, double[] intervals, int[] labels, int first, int n, float[] out) {
        DitState s = state = state.ofBatch(n);
        int rows = n * config.tokens();

        patches.gather(x, first, n, s.patches); // (N, T, C P P)
        layers.linear(s.patches, rows, weights.patchEmbedding(), s.x); // (N, T, D)
        show("x_embedder", s.x, n, config.tokens(), config.hiddenSize());
        addPositions(s.x, n);
        look("the sum of x_embedder and pos_embed", s.x, rows * config.hiddenSize());

        embed("t_embedder", s, t, first, n, weights.timestepIn(), weights.timestepOut(), s.timestep); // (N, D)
        Linear intervalIn = weights.intervalIn();
        Linear intervalOut = weights.intervalOut();
        if (intervalIn != null && intervalOut != null) {
            embed("r_embedder", s, intervals, first, n, intervalIn, intervalOut, s.label); // (N, D)
            elementwise.add(s.timestep, s.label, n * config.hiddenSize()); // t + r
        }
        lookUp(labels, first, n, s.label); // (N, D)
        show("y_embedder", s.label, n, config.hiddenSize());

        System.arraycopy(s.timestep, 0, s.conditioning, 0, n * config.hiddenSize());
        elementwise.add(s.conditioning, s.label, n * config.hiddenSize()); // c = t + y
        elementwise.silu(s.conditioning, s.conditioning, n * config.hiddenSize()); // every use begins with SiLU
        for (int i = 0; i < config.depth(); i++) {
            block("blocks." + i, weights.blocks().get(i), s, n); // (N, T, D)
        }
        finalLayer(s, n); // (N, T, P P outChannels)
        patches.scatter(s.patchOutputs, n, out, first); // (N, outChannels, H, W)
    }

    private void embed(
            String name, DitState s, double[] times, int first, int n, Linear in, Linear out, float[] result) {
        for (int i = 0; i < n; i++) {
            float[] embedding = TimestepEmbedding.of(times[first + i]);
            System.arraycopy(embedding, 0, s.frequencies, i * embedding.length, embedding.length);
        }
        layers.linear(s.frequencies, n, in, s.conditioning); // (N, D)
        show(name + ".mlp.0", s.conditioning, n, config.hiddenSize());
        elementwise.silu(s.conditioning, s.conditioning, n * config.hiddenSize());
        layers.linear(s.conditioning, n, out, result); // (N, D)
        show(name, result, n, config.hiddenSize());
    }

    /** {@code x + gate * attn(modulate(norm1(x)))}, then {@code x + gate * mlp(modulate(norm2(x)))}. */
    private void block(String name, Block block, DitState s, int n) {
        int tokens = config.tokens();
        int width = config.hiddenSize();
        int rows = n * tokens;
        layers.linear(s.conditioning, n, block.modulation(), s.modulation); // (N, 6 D)
        show(name + ".adaLN_modulation", s.modulation, n, 6 * width);

        normModulate(name + ".norm1", s, shiftAndScale(s, 0, 6), n);
        layers.linear(s.normed, rows, block.qkv(), s.hidden); // (N, T, 3 D)
        show(name + ".attn.qkv", s.hidden, n, tokens, 3 * width);
        HeadNorms norms = block.headNorms();
        if (norms != null) {
            headNorm.apply(s.hidden, norms, rows, config.numHeads(), config.headSize());
        }
        Heads heads = new Heads(s.hidden, 0, width, 2 * width, 3 * width, config.headSize());
        attention.apply(heads, s.normed, n, tokens, config.numHeads());
        layers.linear(s.normed, rows, block.projection(), s.branch); // (N, T, D)
        show(name + ".attn", s.branch, n, tokens, width);
        elementwise.addGated(s.x, s.branch, s.modulation, 2 * width, 6 * width, n, tokens, width);

        normModulate(name + ".norm2", s, shiftAndScale(s, 3, 6), n);
        layers.linear(s.normed, rows, block.fc1(), s.hidden); // (N, T, M)
        show(name + ".mlp.fc1", s.hidden, n, tokens, config.mlpHidden());
        elementwise.gelu(s.hidden, rows * config.mlpHidden());
        show(name + ".mlp.act", s.hidden, n, tokens, config.mlpHidden());
        layers.linear(s.hidden, rows, block.fc2(), s.branch); // (N, T, D)
        show(name + ".mlp", s.branch, n, tokens, width);
        elementwise.addGated(s.x, s.branch, s.modulation, 5 * width, 6 * width, n, tokens, width);
        show(name, s.x, n, tokens, width);
    }

    private void finalLayer(DitState s, int n) {
        int tokens = config.tokens();
        int width = config.hiddenSize();
        layers.linear(s.conditioning, n, weights.finalModulation(), s.modulation); // (N, 2 D)
        show("final_layer.adaLN_modulation", s.modulation, n, 2 * width);
        normModulate("final_layer.norm_final", s, shiftAndScale(s, 0, 2), n);
        layers.linear(s.normed, n * tokens, weights.finalLinear(), s.patchOutputs);
        show("final_layer", s.patchOutputs, n, tokens, config.patchOutputs());
    }

    private void normModulate(String name, DitState s, Modulation modulation, int n) {
        elementwise.normModulate(s.x, modulation, s.normed, n, config.tokens(), config.hiddenSize());
        if (elementwise.takeOverflow()) {
            overflowed = true;
            if (search != null) {
                search.find("the variance in " + name);
            }
        }
        look("the output of " + name, s.normed, n * config.tokens() * config.hiddenSize());
    }

    /** Shift and scale that lie at {@code first * D} and {@code (first + 1) * D} of rows of {@code count * D} values. */
    private Modulation shiftAndScale(DitState s, int first, int count) {
        int width = config.hiddenSize();
        return new Modulation(s.modulation, first * width, (first + 1) * width, count * width);
    }

    /**
     * The prediction under classifier-free guidance ({@code DiT.forward_with_cfg}): the first half of {@code x} goes
     * through the model twice, with the labels of both halves, and the predicted noise becomes
     * {@code unconditional + scale * (conditional - unconditional)} on the guided channels of both halves. What is not
     * guided stays as each half has it.
     *
     * @param x (2 N, C, H, W); the second half is not read
     * @param t (2 N)
     * @param intervals (2 N)
     * @param labels (2 N), the second half usually the null class
     * @param scale guidance; 1 gives the conditional prediction
     * @param n2 2 N, even
     * @return (2 N, outChannels, H, W)
     * @throws IllegalArgumentException when {@code n2} is odd, or a length or a label does not fit
     */
    public float[] forwardWithGuidance(
            float[] x, double[] t, double[] intervals, int[] labels, int n2, double scale, Guidance guidance) {
        if (n2 % 2 != 0) {
            throw new IllegalArgumentException(
                    "batch is " + n2 + ", expected an even number: guidance uses two halves");
        }
        requireInputs(x, t, labels, n2);
        int half = n2 / 2 * config.inputElements();
        float[] combined = Arrays.copyOf(x, x.length);
        System.arraycopy(x, 0, combined, half, half);
        float[] out = forward(combined, t, intervals, labels, n2);
        int image = config.outputElements();
        int guided = guidance.channels(config.inChannels()) * config.inputSize() * config.inputSize();
        for (int n = 0; n < n2 / 2; n++) {
            guide(out, n * image, (n + n2 / 2) * image, guided, scale);
        }
        return out;
    }

    /**
     * Guides one image's prediction, in both passes' places.
     *
     * @param out predictions of some passes, see {@link #forward}
     * @param conditional where that of the class begins
     * @param unconditional where that of the null class begins
     * @param count elements that guidance changes
     */
    public static void guide(float[] out, int conditional, int unconditional, int count, double scale) {
        for (int i = 0; i < count; i++) {
            float without = out[unconditional + i];
            float noise = without + (float) scale * (out[conditional + i] - without);
            out[conditional + i] = noise;
            out[unconditional + i] = noise;
        }
    }

    /** As above, of a model with one time. */
    public float[] forwardWithGuidance(float[] x, double[] t, int[] labels, int n2, double scale, Guidance guidance) {
        return forwardWithGuidance(x, t, new double[n2], labels, n2, scale, guidance);
    }

    private void addPositions(float[] x, int n) {
        int image = config.tokens() * config.hiddenSize();
        float[] positions = state.positions(weights.positionEmbedding());
        workers.forEach(n, (i, worker) -> {
            for (int j = 0; j < image; j++) {
                x[i * image + j] += positions[j];
            }
        });
    }

    private void lookUp(int[] labels, int first, int n, float[] out) {
        int width = config.hiddenSize();
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < width; j++) {
                out[i * width + j] = weights.labelTable().get((long) labels[first + i] * width + j);
            }
        }
    }

    private void requireInputs(float[] x, double[] t, int[] labels, int n) {
        requireLength("x", x.length, (long) n * config.inputElements());
        requireLength("t", t.length, n);
        requireLength("labels", labels.length, n);
        for (int label : labels) {
            if (label < 0 || label > config.nullClass()) {
                throw new IllegalArgumentException("label is %d, expected 0 to %d, or %d for no class"
                        .formatted(label, config.numClasses() - 1, config.nullClass()));
            }
        }
    }

    private static void requireLength(String name, int found, long expected) {
        if (found != expected) {
            throw new IllegalArgumentException("%s has %d values, expected %d".formatted(name, found, expected));
        }
    }

    private void look(String tensor, float[] values, int count) {
        FiniteSearch all = search;
        if (all != null) {
            all.look(tensor, values, count);
        }
    }

    private void show(String module, float[] values, long... shape) {
        Probe observer = probe;
        if (observer == null && search == null) {
            return;
        }
        Shape sizes = Shape.of(shape);
        look("the output of " + module, values, (int) sizes.elements());
        if (observer != null) {
            observer.output(module, sizes, Arrays.copyOf(values, (int) sizes.elements()));
        }
    }

    /** Ends the threads. */
    @Override
    public void close() {
        workers.close();
    }
}
