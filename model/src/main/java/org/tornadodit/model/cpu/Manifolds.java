package org.tornadodit.model.cpu;

import java.util.Arrays;

/**
 * Precision and recall of generated pictures (T. Kynkäänniemi et al., arXiv 1904.06991): a set's manifold is what lies within the
 * distance of a feature's third neighbour. As ADM's evaluator, but that distances are not rounded to float16.
 */
public final class Manifolds {
    private static final int NEIGHBOURS = 3;
    private static final int ROWS = 64;
    private static final int COLUMNS = 1024;

    private final Workers workers;

    /** @param workers threads to use; not closed here */
    public Manifolds(Workers workers) {
        this.workers = workers;
    }

    /**
     * Both.
     *
     * @param precision share of the samples within the reference's manifold
     * @param recall share of the reference within the samples'
     */
    public record PrecisionRecall(double precision, double recall) {}

    /** What is done with a piece of the squared distances; several at a time, of other rows. */
    private interface Taker {
        void take(int row, int column, float[] squares, int offset, int columns);
    }

    /** Of features (N, D) and (M, D), more than {@value #NEIGHBOURS} each. */
    public PrecisionRecall of(float[] reference, float[] sample, int dimensions) {
        float[] ofReference = radii(reference, dimensions);
        float[] ofSample = radii(sample, dimensions);
        boolean[] referenceIsIn = new boolean[ofReference.length];
        boolean[] sampleIsIn = new boolean[ofSample.length];
        distances(reference, sample, dimensions, (row, column, squares, offset, columns) -> {
            for (int i = 0; i < columns; i++) {
                float square = squares[offset + i];
                if (square <= ofSample[column + i]) {
                    referenceIsIn[row] = true;
                }
                if (square <= ofReference[row]) {
                    sampleIsIn[column + i] = true; // whoever writes it, it is the same
                }
            }
        });
        return new PrecisionRecall(share(sampleIsIn), share(referenceIsIn));
    }

    private static double share(boolean[] flags) {
        int count = 0;
        for (boolean flag : flags) {
            count += flag ? 1 : 0;
        }
        return (double) count / flags.length;
    }

    /** Squared distance of each feature's third neighbour; the feature itself comes before the first. */
    private float[] radii(float[] features, int dimensions) {
        int count = features.length / dimensions;
        float[][] nearest = new float[count][NEIGHBOURS + 1];
        for (float[] each : nearest) {
            Arrays.fill(each, Float.POSITIVE_INFINITY);
        }
        distances(features, features, dimensions, (row, column, squares, offset, columns) -> {
            float[] least = nearest[row];
            for (int i = offset; i < offset + columns; i++) {
                if (squares[i] < least[NEIGHBOURS]) {
                    int place = NEIGHBOURS;
                    for (; place > 0 && least[place - 1] > squares[i]; place--) {
                        least[place] = least[place - 1];
                    }
                    least[place] = squares[i];
                }
            }
        });
        float[] radii = new float[count];
        for (int i = 0; i < count; i++) {
            radii[i] = nearest[i][NEIGHBOURS];
        }
        return radii;
    }

    private void distances(float[] rows, float[] columns, int dimensions, Taker taker) {
        int n = rows.length / dimensions;
        int m = columns.length / dimensions;
        float[] ofRows = squares(rows, dimensions);
        float[] ofColumns = squares(columns, dimensions);
        MatrixProduct product = new PanelProduct();
        PackedMatrix packed = new PackedMatrix();
        float[][] products = new float[workers.threads()][ROWS * COLUMNS];
        for (int first = 0; first < m; first += COLUMNS) {
            int column = first;
            int width = Math.min(COLUMNS, m - first);
            packed.resize(dimensions, width);
            workers.forEach(
                    packed.panels(),
                    (panel, worker) -> packed.packTransposed(panel, columns, column * dimensions, dimensions));
            workers.forEach(Math.ceilDiv(n, ROWS), (task, worker) -> {
                int row = task * ROWS;
                int height = Math.min(ROWS, n - row);
                float[] dots = products[worker];
                product.multiply(
                        MatrixProduct.Left.matrix(rows, row * dimensions, dimensions),
                        height,
                        packed,
                        new MatrixProduct.Output(dots, 0, width));
                for (int i = 0; i < height; i++) {
                    for (int c = 0; c < width; c++) {
                        int at = i * width + c;
                        dots[at] = Math.max(0, ofRows[row + i] - 2 * dots[at] + ofColumns[column + c]);
                    }
                    taker.take(row + i, column, dots, i * width, width);
                }
            });
        }
    }

    private static float[] squares(float[] features, int dimensions) {
        float[] squares = new float[features.length / dimensions];
        for (int i = 0; i < squares.length; i++) {
            double sum = 0;
            for (int d = i * dimensions; d < (i + 1) * dimensions; d++) {
                sum += (double) features[d] * features[d];
            }
            squares[i] = (float) sum;
        }
        return squares;
    }
}
