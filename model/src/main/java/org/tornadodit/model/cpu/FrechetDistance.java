package org.tornadodit.model.cpu;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/**
 * The distance of two sets of features as normal distributions, FID's (M. Heusel et al., arXiv 1706.08500), in float64:
 * {@code |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))}, covariances over N - 1.
 */
public final class FrechetDistance {
    /** Samples that are centered at once. */
    private static final int CHUNK = 256;

    private static final int ROWS = 32;

    private FrechetDistance() {}

    /**
     * Mean and covariance of features.
     *
     * @param mean (D)
     * @param covariance (D, D), symmetric
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    public record Moments(double[] mean, double[] covariance) {
        /** D. */
        public int dimensions() {
            return mean.length;
        }

        double trace() {
            double sum = 0;
            for (int i = 0; i < mean.length; i++) {
                sum += covariance[i * mean.length + i];
            }
            return sum;
        }
    }

    /** @param features (N, D), N at least 2 */
    public static Moments moments(float[] features, int dimensions, Workers workers) {
        int count = features.length / dimensions;
        double[] mean = mean(features, dimensions);
        double[] covariance = new double[dimensions * dimensions];
        double[] centered = new double[CHUNK * dimensions];
        for (int first = 0; first < count; first += CHUNK) {
            int n = Math.min(CHUNK, count - first);
            for (int i = 0; i < n * dimensions; i++) {
                centered[i] = features[first * dimensions + i] - mean[i % dimensions];
            }
            workers.forEach(Math.ceilDiv(dimensions, ROWS), (task, worker) -> {
                int end = Math.min(dimensions, (task + 1) * ROWS);
                for (int sample = 0; sample < n; sample++) {
                    for (int row = task * ROWS; row < end; row++) {
                        addRow(covariance, row * dimensions, centered, sample * dimensions, row, dimensions);
                    }
                }
            });
        }
        for (int row = 0; row < dimensions; row++) {
            for (int column = row; column < dimensions; column++) {
                double value = covariance[row * dimensions + column] / (count - 1);
                covariance[row * dimensions + column] = value;
                covariance[column * dimensions + row] = value;
            }
        }
        return new Moments(mean, covariance);
    }

    /** The upper half of a row. */
    private static void addRow(double[] sums, int to, double[] centered, int from, int row, int dimensions) {
        double factor = centered[from + row];
        for (int column = row; column < dimensions; column++) {
            sums[to + column] += factor * centered[from + column];
        }
    }

    private static double[] mean(float[] features, int dimensions) {
        double[] mean = new double[dimensions];
        for (int i = 0; i < features.length; i++) {
            mean[i % dimensions] += features[i];
        }
        int count = features.length / dimensions;
        for (int i = 0; i < dimensions; i++) {
            mean[i] /= count;
        }
        return mean;
    }

    /** Of two sets of features (N, D); where one has no more than D, by a product of N x N, which has the same trace. */
    public static double of(float[] first, float[] second, int dimensions, Workers workers) {
        if (Math.min(first.length, second.length) / dimensions > dimensions) {
            return of(moments(first, dimensions, workers), moments(second, dimensions, workers));
        }
        double[] x = scaled(first, dimensions);
        double[] y = scaled(second, dimensions);
        DMatrixRMaj product = new DMatrixRMaj(x.length / dimensions, y.length / dimensions);
        CommonOps_DDRM.multTransB(
                DMatrixRMaj.wrap(product.numRows, dimensions, x),
                DMatrixRMaj.wrap(product.numCols, dimensions, y),
                product);
        SingularValueDecomposition_F64<DMatrixRMaj> values =
                DecompositionFactory_DDRM.svd(product.numRows, product.numCols, false, false, true);
        if (!values.decompose(product)) {
            throw new IllegalStateException("the singular values of the features were not found");
        }
        double root = 0;
        for (int i = 0; i < values.numberOfSingularValues(); i++) {
            root += values.getSingularValues()[i];
        }
        return squaredDistance(mean(first, dimensions), mean(second, dimensions)) + squares(x) + squares(y) - 2 * root;
    }

    /** Centered, over sqrt(N - 1): the squares' sum is the covariance's trace. */
    private static double[] scaled(float[] features, int dimensions) {
        double[] mean = mean(features, dimensions);
        double scale = 1 / Math.sqrt(features.length / dimensions - 1.0);
        double[] scaled = new double[features.length];
        for (int i = 0; i < features.length; i++) {
            scaled[i] = (features[i] - mean[i % dimensions]) * scale;
        }
        return scaled;
    }

    private static double squares(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value * value;
        }
        return sum;
    }

    private static double squaredDistance(double[] first, double[] second) {
        double sum = 0;
        for (int i = 0; i < first.length; i++) {
            sum += (first[i] - second[i]) * (first[i] - second[i]);
        }
        return sum;
    }

    /**
     * From means and covariances: the eigenvalues of {@code S1 S2} are those of {@code S1^(1/2) S2 S1^(1/2)}, which is symmetric.
     *
     * @throws IllegalArgumentException when they are of different sizes
     */
    public static double of(Moments first, Moments second) {
        int n = first.dimensions();
        if (second.dimensions() != n) {
            throw new IllegalArgumentException("%d features and %d".formatted(n, second.dimensions()));
        }
        EigenDecomposition_F64<DMatrixRMaj> eigen =
                symmetric(DMatrixRMaj.wrap(n, n, first.covariance().clone()), true);
        DMatrixRMaj root = new DMatrixRMaj(n, n);
        DMatrixRMaj scaled = new DMatrixRMaj(n, n);
        for (int i = 0; i < n; i++) {
            double factor = Math.sqrt(Math.max(0, eigen.getEigenvalue(i).getReal()));
            DMatrixRMaj vector = eigen.getEigenVector(i);
            for (int row = 0; row < n; row++) {
                scaled.set(row, i, vector.get(row) * factor);
            }
        }
        // With S1 = B B^T for B = V D^(1/2), the eigenvalues of B^T S2 B are those of S1 S2.
        DMatrixRMaj half = new DMatrixRMaj(n, n);
        CommonOps_DDRM.mult(DMatrixRMaj.wrap(n, n, second.covariance()), scaled, half);
        CommonOps_DDRM.multTransA(scaled, half, root);
        EigenDecomposition_F64<DMatrixRMaj> both = symmetric(root, false);
        double trace = 0;
        for (int i = 0; i < n; i++) {
            trace += Math.sqrt(Math.max(0, both.getEigenvalue(i).getReal()));
        }
        return squaredDistance(first.mean(), second.mean()) + first.trace() + second.trace() - 2 * trace;
    }

    private static EigenDecomposition_F64<DMatrixRMaj> symmetric(DMatrixRMaj matrix, boolean vectors) {
        EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(matrix.numRows, vectors, true);
        if (!eigen.decompose(matrix)) {
            throw new IllegalStateException("the eigenvalues of the covariances were not found");
        }
        return eigen;
    }
}
