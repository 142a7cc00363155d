package org.tornadodit.model.cpu;

import java.util.Arrays;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.cpu.Attention.Heads;
import org.tornadodit.model.cpu.Elementwise.Modulation;
import org.tornadodit.model.cpu.MatrixProduct.Output;
import org.tornadodit.model.vae.VaeWeights.Norm;

/** Each layer against its definition in float64, over odd and even shapes. */
class LayersTest {

    private static final double BOUND = 1e-6;

    private final Workers workers = new Workers(2);
    private final PanelProduct product = new PanelProduct();

    @AfterEach
    void close() {
        workers.close();
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1, 4", "2, 64, 4, 72", "3, 9, 5, 7", "1, 200, 1, 33", "2, 97, 2, 16"})
    void attentionIsSoftmaxOfScaledProducts(int batch, int tokens, int heads, int size) {
        int width = heads * size;
        float[] qkv = Randoms.normal(batch * tokens * 3 * width, 5);
        float[] out = new float[batch * tokens * width];
        new Attention(workers, product)
                .apply(new Heads(qkv, 0, width, 2 * width, 3 * width, size), out, batch, tokens, heads);
        double[] expected = new double[out.length];
        for (int image = 0; image < batch; image++) {
            for (int head = 0; head < heads; head++) {
                attend(qkv, image, head, tokens, heads, size, expected);
            }
        }
        TensorAssert.assertRelativeError("attention", Shape.of(batch, tokens, width), out, expected, BOUND);
    }

    private static void attend(float[] qkv, int image, int head, int tokens, int heads, int size, double[] expected) {
        DMatrixRMaj[] parts = new DMatrixRMaj[3];
        for (int part = 0; part < 3; part++) {
            parts[part] = new DMatrixRMaj(tokens, size);
            for (int t = 0; t < tokens; t++) {
                for (int i = 0; i < size; i++) {
                    int at = (image * tokens + t) * 3 * heads * size + part * heads * size + head * size + i;
                    parts[part].set(t, i, qkv[at]);
                }
            }
        }
        DMatrixRMaj scores = new DMatrixRMaj(tokens, tokens);
        CommonOps_DDRM.multTransB(1 / Math.sqrt(size), parts[0], parts[1], scores);
        for (int t = 0; t < tokens; t++) {
            double sum = 0;
            for (int i = 0; i < tokens; i++) {
                sum += Math.exp(scores.get(t, i));
            }
            for (int i = 0; i < tokens; i++) {
                scores.set(t, i, Math.exp(scores.get(t, i)) / sum);
            }
        }
        DMatrixRMaj result = new DMatrixRMaj(tokens, size);
        CommonOps_DDRM.mult(scores, parts[2], result);
        for (int t = 0; t < tokens; t++) {
            for (int i = 0; i < size; i++) {
                expected[(image * tokens + t) * heads * size + head * size + i] = result.get(t, i);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 4", "2, 3, 288", "3, 5, 36", "1, 17, 1152"})
    void layerNormIsModulated(int batch, int tokens, int width) {
        float[] x = Randoms.normal(batch * tokens * width, 6);
        for (int i = 0; i < x.length; i++) {
            x[i] = 3 * x[i] + 10; // a mean far from zero
        }
        float[] modulation = Randoms.normal(batch * 3 * width, 7);
        float[] out = new float[x.length];
        new Elementwise(workers)
                .normModulate(x, new Modulation(modulation, 2 * width, width, 3 * width), out, batch, tokens, width);
        double[] expected = new double[x.length];
        for (int row = 0; row < batch * tokens; row++) {
            double mean = 0;
            double variance = 0;
            for (int i = 0; i < width; i++) {
                mean += x[row * width + i] / (double) width;
            }
            for (int i = 0; i < width; i++) {
                variance += (x[row * width + i] - mean) * (x[row * width + i] - mean) / width;
            }
            int n = row / tokens * 3 * width;
            for (int i = 0; i < width; i++) {
                double normed = (x[row * width + i] - mean) / Math.sqrt(variance + 1e-6);
                expected[row * width + i] = normed * (1.0 + modulation[n + width + i]) + modulation[n + 2 * width + i];
            }
        }
        TensorAssert.assertRelativeError("norm", Shape.of(batch, tokens, width), out, expected, BOUND);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1, 1, 1", "5, 3, 4, 7, 1", "8, 8, 32, 40, 1", "4, 7, 3, 33, 2", "17, 33, 20, 16, 1"})
    void convolutionHasABorderOfZeros(int height, int width, int in, int out, int factor) {
        Picture picture = picture(height, width, in, 8);
        float[] weight = Randoms.normal(out * in * 9, 9);
        float[] bias = Randoms.normal(out, 10);
        int h = height * factor;
        int w = width * factor;
        float[] actual = new float[h * w * out];
        Linear layer = new Linear(
                Tensor.of("weight", Shape.of(out, in, 3, 3), weight), Tensor.of("bias", Shape.of(out), bias));
        for (boolean keep : new boolean[] {false, true}) {
            new Layers(workers, product, keep)
                    .apply(picture.neighbourhoods(factor, workers), h * w, layer, new Output(actual, 0, out));
            double[] expected = new double[actual.length];
            for (int at = 0; at < expected.length; at++) {
                int o = at % out;
                int x = at / out % w;
                int y = at / out / w;
                double sum = bias[o];
                for (int tap = 0; tap < 9; tap++) {
                    int sy = y + tap / 3 - 1;
                    int sx = x + tap % 3 - 1;
                    if (sy < 0 || sy >= h || sx < 0 || sx >= w) {
                        continue;
                    }
                    for (int c = 0; c < in; c++) {
                        float value = picture.data()[(sy / factor * width + sx / factor) * in + c];
                        sum += (double) value * weight[(o * in + c) * 9 + tap];
                    }
                }
                expected[at] = sum;
            }
            TensorAssert.assertRelativeError("conv", Shape.of(1, h, w, out), actual, expected, BOUND);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 2, 4, 2", "5, 7, 24, 8", "40, 30, 32, 32", "3, 3, 9, 1"})
    void groupNormIsItsDefinition(int height, int width, int channels, int groups) {
        Picture picture = picture(height, width, channels, 11);
        for (int i = 0; i < picture.pixels() * channels; i++) {
            picture.data()[i] = 2 * picture.data()[i] - 5;
        }
        Norm norm = new Norm(
                Tensor.of("weight", Shape.of(channels), Randoms.normal(channels, 12)),
                Tensor.of("bias", Shape.of(channels), Randoms.normal(channels, 13)));
        int size = channels / groups;
        for (boolean silu : new boolean[] {false, true}) {
            Picture out = new Picture();
            new GroupNorm(workers, groups, 1e-6).apply(picture, norm, silu, out);
            float[] actual = new float[picture.pixels() * channels];
            System.arraycopy(out.data(), 0, actual, 0, actual.length);
            double[] expected = new double[actual.length];
            for (int group = 0; group < groups; group++) {
                double count = (double) size * picture.pixels();
                double mean = 0;
                double variance = 0;
                for (int i = 0; i < size * picture.pixels(); i++) {
                    mean += picture.data()[i / size * channels + group * size + i % size] / count;
                }
                for (int i = 0; i < size * picture.pixels(); i++) {
                    double centred = picture.data()[i / size * channels + group * size + i % size] - mean;
                    variance += centred * centred / count;
                }
                for (int i = 0; i < size * picture.pixels(); i++) {
                    int c = group * size + i % size;
                    int at = i / size * channels + c;
                    double y = (picture.data()[at] - mean)
                                    / Math.sqrt(variance + 1e-6)
                                    * norm.weight().get(c)
                            + norm.bias().get(c);
                    expected[at] = silu ? y / (1 + Math.exp(-y)) : y;
                }
            }
            TensorAssert.assertRelativeError(
                    "group norm", Shape.of(1, height, width, channels), actual, expected, BOUND);
        }
    }

    private static Picture picture(int height, int width, int channels, long seed) {
        Picture picture = new Picture();
        picture.resize(height + 1, width, channels); // a larger size first: what is left in the buffer must not show
        Arrays.fill(picture.data(), 99f);
        picture.resize(height, width, channels);
        float[] values = Randoms.normal(height * width * channels, seed);
        System.arraycopy(values, 0, picture.data(), 0, values.length);
        return picture;
    }
}
