package org.tornadodit.model.cpu;

import jdk.incubator.vector.FloatVector;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.metrics.FeatureConvolution;
import org.tornadodit.model.metrics.FeatureMap;

/**
 * A 3 x 3 convolution by Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin and Gray, CVPR 2016): 36 products instead of
 * 144 for 16 pixels. Tiles of 6 x 6 input pixels are transformed, multiplied at each of their 36 places as matrices
 * (tiles, in) x (in, out), and transformed back. Channels are whole vectors.
 */
final class WinogradLayer implements FeatureConvolution.Layer {

    private static final int KERNEL = 3;
    /** Pixels of an output tile each way. */
    private static final int TILE = 4;
    /** Pixels of an input tile each way. */
    private static final int SPAN = TILE + KERNEL - 1;

    private static final int PLACES = SPAN * SPAN;
    /** Floats that a thread works on: what a second-level cache holds. */
    private static final int SCRATCH = 1 << 19;

    /** A filter at the six points 0, 1, -1, 2, -2 and infinity: the matrix G of Lavin and Gray. */
    private static final double[][] FILTER = {
        {1.0 / 4, 0, 0},
        {-1.0 / 6, -1.0 / 6, -1.0 / 6},
        {-1.0 / 6, 1.0 / 6, -1.0 / 6},
        {1.0 / 24, 1.0 / 12, 1.0 / 6},
        {1.0 / 24, -1.0 / 12, 1.0 / 6},
        {0, 0, 1}
    };

    private final MatrixProduct product = new PanelProduct();
    /** One (in, out) matrix for each place. */
    private final PackedMatrix[] filters = new PackedMatrix[PLACES];

    private final Workers workers;
    private final float[] bias;
    private final int in;
    private final int out;
    /** Tiles that a task computes. */
    private final int chunk;

    WinogradLayer(Workers workers, Tensor weight, Tensor bias) {
        this.workers = workers;
        this.bias = bias.toArray();
        out = (int) weight.shape().dim(0);
        in = (int) weight.shape().dim(1);
        int tiles = SCRATCH / (PLACES * (in + out));
        chunk = Math.clamp(tiles / TileKernel.ROWS * TileKernel.ROWS, 8 * TileKernel.ROWS, 40 * TileKernel.ROWS);
        float[] values = weight.toArray();
        workers.forEach(PLACES, (place, worker) -> filters[place] = filter(values, place / SPAN, place % SPAN));
    }

    /** The transformed filters at one place. */
    private PackedMatrix filter(float[] weight, int row, int column) {
        float[] matrix = new float[in * out];
        for (int o = 0; o < out; o++) {
            for (int i = 0; i < in; i++) {
                int at = (o * in + i) * KERNEL * KERNEL;
                double sum = 0;
                for (int y = 0; y < KERNEL; y++) {
                    for (int x = 0; x < KERNEL; x++) {
                        sum += FILTER[row][y] * FILTER[column][x] * weight[at + y * KERNEL + x];
                    }
                }
                matrix[i * out + o] = (float) sum;
            }
        }
        PackedMatrix packed = new PackedMatrix();
        packed.resize(in, out);
        for (int panel = 0; panel < packed.panels(); panel++) {
            packed.packRows(panel, matrix, 0, out);
        }
        return packed;
    }

    /** What a thread works on. */
    private final class Scratch {
        /** (PLACES, chunk, in). */
        private final float[] inputs = new float[PLACES * chunk * in];
        /** (PLACES, chunk, out). */
        private final float[] sums = new float[PLACES * chunk * out];
        /** A tile of one vector of channels, between the two passes of a transformation. */
        private final float[] half = new float[PLACES * TileKernel.LANES];
    }

    @Override
    public void apply(FeatureMap input, FeatureMap output) {
        int across = Math.ceilDiv(output.width(), TILE);
        int tiles = across * Math.ceilDiv(output.rows(), TILE);
        Scratch[] scratches = new Scratch[workers.threads()];
        workers.forEach(Math.ceilDiv(tiles, chunk), (task, worker) -> {
            if (scratches[worker] == null) {
                scratches[worker] = new Scratch();
            }
            Scratch scratch = scratches[worker];
            int first = task * chunk;
            int count = Math.min(chunk, tiles - first);
            for (int i = 0; i < count; i++) {
                int y = output.firstRow() + (first + i) / across * TILE;
                transformInput(input, y, (first + i) % across * TILE, scratch, i);
            }
            for (int place = 0; place < PLACES; place++) {
                product.multiply(
                        MatrixProduct.Left.matrix(scratch.inputs, place * chunk * in, in),
                        count,
                        filters[place],
                        new MatrixProduct.Output(scratch.sums, place * chunk * out, out));
            }
            for (int i = 0; i < count; i++) {
                int y = output.firstRow() + (first + i) / across * TILE;
                transformOutput(scratch, i, output, y, (first + i) % across * TILE);
            }
        });
    }

    /** B^T d B of the 6 x 6 pixels around an output tile; pixels past the map feed outputs that are dropped. */
    private void transformInput(FeatureMap input, int y, int x, Scratch scratch, int tile) {
        int lastRow = input.firstRow() + input.rows();
        int[] at = new int[PLACES];
        for (int row = 0; row < SPAN; row++) {
            for (int column = 0; column < SPAN; column++) {
                at[row * SPAN + column] =
                        input.index(Math.min(y + row - 1, lastRow), Math.min(x + column - 1, input.width()));
            }
        }
        float[] data = input.data();
        int place = chunk * in;
        for (int c = 0; c < in; c += TileKernel.LANES) {
            for (int column = 0; column < SPAN; column++) {
                pointsOf(
                        load(data, at[column] + c),
                        load(data, at[SPAN + column] + c),
                        load(data, at[2 * SPAN + column] + c),
                        load(data, at[3 * SPAN + column] + c),
                        load(data, at[4 * SPAN + column] + c),
                        load(data, at[5 * SPAN + column] + c),
                        scratch.half,
                        column * TileKernel.LANES,
                        SPAN * TileKernel.LANES);
            }
            for (int row = 0; row < SPAN; row++) {
                int from = row * SPAN * TileKernel.LANES;
                pointsOf(
                        load(scratch.half, from),
                        load(scratch.half, from + TileKernel.LANES),
                        load(scratch.half, from + 2 * TileKernel.LANES),
                        load(scratch.half, from + 3 * TileKernel.LANES),
                        load(scratch.half, from + 4 * TileKernel.LANES),
                        load(scratch.half, from + 5 * TileKernel.LANES),
                        scratch.inputs,
                        row * SPAN * place + tile * in + c,
                        place);
            }
        }
    }

    /** A^T m A, the bias and ReLU: 4 x 4 pixels, of which those within the output are stored. */
    private void transformOutput(Scratch scratch, int tile, FeatureMap output, int y, int x) {
        int rows = Math.min(TILE, output.firstRow() + output.rows() - y);
        int columns = Math.min(TILE, output.width() - x);
        int place = chunk * out;
        float[] half = scratch.half;
        for (int c = 0; c < out; c += TileKernel.LANES) {
            for (int column = 0; column < SPAN; column++) {
                int from = column * place + tile * out + c;
                int step = SPAN * place;
                pixelsOf(
                        load(scratch.sums, from),
                        load(scratch.sums, from + step),
                        load(scratch.sums, from + 2 * step),
                        load(scratch.sums, from + 3 * step),
                        load(scratch.sums, from + 4 * step),
                        load(scratch.sums, from + 5 * step),
                        half,
                        column * TileKernel.LANES,
                        SPAN * TileKernel.LANES);
            }
            FloatVector shift = load(bias, c);
            for (int row = 0; row < rows; row++) {
                int from = row * SPAN * TileKernel.LANES;
                pixelsOf(
                        load(half, from),
                        load(half, from + TileKernel.LANES),
                        load(half, from + 2 * TileKernel.LANES),
                        load(half, from + 3 * TileKernel.LANES),
                        load(half, from + 4 * TileKernel.LANES),
                        load(half, from + 5 * TileKernel.LANES),
                        half,
                        from,
                        TileKernel.LANES);
                int to = output.index(y + row, x) + c;
                for (int column = 0; column < columns; column++) {
                    load(half, from + column * TileKernel.LANES)
                            .add(shift)
                            .max(0f)
                            .intoArray(output.data(), to + column * out);
                }
            }
        }
    }

    /** Six pixels as values at the six points: the matrix B^T. */
    private static void pointsOf(
            FloatVector d0,
            FloatVector d1,
            FloatVector d2,
            FloatVector d3,
            FloatVector d4,
            FloatVector d5,
            float[] to,
            int at,
            int step) {
        FloatVector even = d4.sub(d2.mul(4f));
        FloatVector odd = d3.sub(d1.mul(4f));
        FloatVector even2 = d4.sub(d2);
        FloatVector odd2 = d3.sub(d1).mul(2f);
        d0.mul(4f).sub(d2.mul(5f)).add(d4).intoArray(to, at);
        even.add(odd).intoArray(to, at + step);
        even.sub(odd).intoArray(to, at + 2 * step);
        even2.add(odd2).intoArray(to, at + 3 * step);
        even2.sub(odd2).intoArray(to, at + 4 * step);
        d1.mul(4f).sub(d3.mul(5f)).add(d5).intoArray(to, at + 5 * step);
    }

    /** Values at the six points as four pixels: the matrix A^T. */
    private static void pixelsOf(
            FloatVector m0,
            FloatVector m1,
            FloatVector m2,
            FloatVector m3,
            FloatVector m4,
            FloatVector m5,
            float[] to,
            int at,
            int step) {
        FloatVector sum = m1.add(m2);
        FloatVector difference = m1.sub(m2);
        FloatVector sum2 = m3.add(m4);
        FloatVector difference2 = m3.sub(m4);
        m0.add(sum).add(sum2).intoArray(to, at);
        difference.add(difference2.mul(2f)).intoArray(to, at + step);
        sum.add(sum2.mul(4f)).intoArray(to, at + 2 * step);
        difference.add(difference2.mul(8f)).add(m5).intoArray(to, at + 3 * step);
    }

    private static FloatVector load(float[] data, int at) {
        return FloatVector.fromArray(TileKernel.SPECIES, data, at);
    }
}
