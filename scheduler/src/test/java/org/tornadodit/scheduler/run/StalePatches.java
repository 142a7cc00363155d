package org.tornadodit.scheduler.run;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.cpu.CpuDit;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.DitWeights.Block;
import org.tornadodit.model.dit.TimestepEmbedding;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;

/**
 * PipeFusion in float64 and plain loops, a pass at a time: patch after patch goes through all blocks, and attends to the keys
 * and values of all tokens, those of the patches behind it as the step before left them. In a synchronous step all tokens are
 * one patch. Of models without norms of heads.
 */
final class StalePatches {
    private final DitConfig config;
    private final DitWeights weights;
    private final int patches;
    /** Keys and values (T, 2 D) of a pass in a block. */
    private final Map<String, double[][]> kept = new HashMap<>();

    StalePatches(DitConfig config, DitWeights weights, int patches) {
        this.config = config;
        this.weights = weights;
        this.patches = patches;
    }

    /** The latents of a request, of which the first steps are synchronous. */
    static float[] sample(
            DitConfig config, DitWeights weights, SamplingRequest request, NoiseStream noise, int patches, int warmup) {
        BatchRun batch = new BatchRun(request, config, noise, SamplingState.START, (done, now) -> {}, 0);
        StalePatches model = new StalePatches(config, weights, patches);
        List<List<float[]>> states = new ArrayList<>(
                batch.samples().stream().map(RunningSample::keptArrays).toList());
        for (int step = 0; step < request.steps(); step++) {
            int side = config.inputSize() * config.inputSize();
            for (int i = 0; i < request.samples(); i++) {
                SampleStep sample = batch.step(batch.samples().get(i));
                float[] drawn = batch.hostNoise(batch.samples().get(i));
                float[] x = states.get(i).getFirst();
                double time = sample.step().time();
                boolean fresh = step < warmup;
                float[] conditional = model.predict(x, time, sample.label(), i + " class", fresh);
                float[] both = new float[2 * conditional.length];
                System.arraycopy(conditional, 0, both, 0, conditional.length);
                float[] without = model.predict(x, time, config.nullClass(), i + " null", fresh);
                System.arraycopy(without, 0, both, conditional.length, without.length);
                CpuDit.guide(both, 0, conditional.length, sample.guidedChannels() * side, sample.cfgScale());
                System.arraycopy(both, 0, conditional, 0, conditional.length);
                states.set(i, sample.step().take(1, states.get(i), conditional, drawn.length == 0 ? null : drawn));
            }
            batch.samples().forEach(RunningSample::stepped);
        }
        int elements = config.inputElements();
        float[] latents = new float[request.samples() * elements];
        for (int i = 0; i < request.samples(); i++) {
            System.arraycopy(states.get(i).getFirst(), 0, latents, i * elements, elements);
        }
        return latents;
    }

    private float[] predict(float[] latent, double time, int label, String pass, boolean synchronous) {
        double[][] x = embed(latent);
        double[] c = conditioning(time, label);
        int number = synchronous ? 1 : patches;
        int each = config.tokens() / number;
        float[] out = new float[config.outputElements()];
        for (int patch = 0; patch < number; patch++) {
            int first = patch * each;
            for (int layer = 0; layer < config.depth(); layer++) {
                block(weights.blocks().get(layer), x, first, each, c, pass + " " + layer);
            }
            for (int token = first; token < first + each; token++) {
                double[] modulation = product(weights.finalModulation(), c);
                double[] row = product(weights.finalLinear(), modulated(x[token], modulation, 0));
                scatter(row, token, out);
            }
        }
        return out;
    }

    private void block(Block block, double[][] x, int first, int count, double[] c, String place) {
        int width = config.hiddenSize();
        double[] modulation = product(block.modulation(), c);
        double[][] all = kept.computeIfAbsent(place, any -> new double[config.tokens()][2 * width]);
        double[][] queries = new double[count][];
        for (int i = 0; i < count; i++) {
            double[] qkv = product(block.qkv(), modulated(x[first + i], modulation, 0));
            queries[i] = qkv;
            System.arraycopy(qkv, width, all[first + i], 0, 2 * width);
        }
        for (int i = 0; i < count; i++) {
            double[] attended = new double[width];
            for (int head = 0; head < config.numHeads(); head++) {
                attend(queries[i], all, head * config.headSize(), attended);
            }
            addGated(x[first + i], product(block.projection(), attended), modulation, 2);
            double[] hidden = product(block.fc1(), modulated(x[first + i], modulation, 3));
            for (int j = 0; j < hidden.length; j++) {
                double h = hidden[j];
                hidden[j] = 0.5 * h * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (h + 0.044715 * h * h * h)));
            }
            addGated(x[first + i], product(block.fc2(), hidden), modulation, 5);
        }
    }

    private void attend(double[] query, double[][] all, int at, double[] attended) {
        int size = config.headSize();
        double[] scores = new double[all.length];
        double sum = 0;
        for (int key = 0; key < all.length; key++) {
            for (int d = 0; d < size; d++) {
                scores[key] += query[at + d] * all[key][at + d];
            }
            scores[key] = Math.exp(scores[key] / Math.sqrt(size));
            sum += scores[key];
        }
        for (int key = 0; key < all.length; key++) {
            for (int d = 0; d < size; d++) {
                attended[at + d] += scores[key] / sum * all[key][config.hiddenSize() + at + d];
            }
        }
    }

    private void addGated(double[] x, double[] branch, double[] modulation, int chunk) {
        for (int i = 0; i < x.length; i++) {
            x[i] += modulation[chunk * x.length + i] * branch[i];
        }
    }

    /** LayerNorm without weights, epsilon 1e-6; shift and scale are chunks of the modulation. */
    private static double[] modulated(double[] x, double[] modulation, int chunk) {
        double mean = 0;
        double squares = 0;
        for (double value : x) {
            mean += value / x.length;
        }
        for (double value : x) {
            squares += (value - mean) * (value - mean) / x.length;
        }
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            double normed = (x[i] - mean) / Math.sqrt(squares + 1e-6);
            out[i] = normed * (1 + modulation[(chunk + 1) * x.length + i]) + modulation[chunk * x.length + i];
        }
        return out;
    }

    private double[][] embed(float[] latent) {
        int p = config.patchSize();
        int side = config.inputSize();
        double[][] x = new double[config.tokens()][];
        for (int token = 0; token < x.length; token++) {
            double[] pixels = new double[config.inChannels() * p * p];
            for (int i = 0; i < pixels.length; i++) {
                int row = token / (side / p) * p + i / p % p;
                int column = token % (side / p) * p + i % p;
                pixels[i] = latent[(i / p / p * side + row) * side + column];
            }
            x[token] = product(weights.patchEmbedding(), pixels);
            for (int i = 0; i < x[token].length; i++) {
                x[token][i] += weights.positionEmbedding().get((long) token * x[token].length + i);
            }
        }
        return x;
    }

    private void scatter(double[] row, int token, float[] out) {
        int p = config.patchSize();
        int side = config.inputSize();
        int channels = config.outChannels();
        for (int i = 0; i < row.length; i++) {
            int y = token / (side / p) * p + i / channels / p;
            int x = token % (side / p) * p + i / channels % p;
            out[(i % channels * side + y) * side + x] = (float) row[i];
        }
    }

    private double[] conditioning(double time, int label) {
        float[] sinusoids = TimestepEmbedding.of(time);
        double[] in = new double[sinusoids.length];
        for (int i = 0; i < in.length; i++) {
            in[i] = sinusoids[i];
        }
        double[] c = product(weights.timestepOut(), silu(product(weights.timestepIn(), in)));
        Tensor table = weights.labelTable();
        for (int i = 0; i < c.length; i++) {
            c[i] += table.get((long) label * c.length + i);
        }
        return silu(c);
    }

    private static double[] silu(double[] x) {
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = x[i] / (1 + Math.exp(-x[i]));
        }
        return out;
    }

    private static double[] product(Linear layer, double[] x) {
        double[] out = new double[layer.out()];
        for (int i = 0; i < out.length; i++) {
            out[i] = layer.bias().get(i);
            for (int j = 0; j < x.length; j++) {
                out[i] += x[j] * layer.weight().get((long) i * x.length + j);
            }
        }
        return out;
    }
}
