package org.tornadodit.model.metrics;

/** Inception Score (T. Salimans et al., arXiv 1606.03498), as ADM's evaluator has it: the mean over parts of 5000 pictures. */
public final class InceptionScore {
    /** Pictures of a part. */
    public static final int PART = 5000;

    private InceptionScore() {}

    /**
     * exp of the mean Kullback-Leibler divergence of p(y|x) from p(y).
     *
     * @param probabilities (N, classes)
     * @param part pictures that share a p(y)
     */
    public static double of(float[] probabilities, int classes, int part) {
        int count = probabilities.length / classes;
        double sum = 0;
        int parts = 0;
        for (int first = 0; first < count; first += part) {
            sum += Math.exp(divergence(probabilities, classes, first, Math.min(count, first + part)));
            parts++;
        }
        return sum / parts;
    }

    private static double divergence(float[] probabilities, int classes, int first, int end) {
        double[] mean = new double[classes];
        for (int i = first * classes; i < end * classes; i++) {
            mean[i % classes] += probabilities[i];
        }
        double sum = 0;
        for (int i = first * classes; i < end * classes; i++) {
            double p = probabilities[i];
            if (p > 0) { // what is 0 adds nothing
                sum += p * (Math.log(p) - Math.log(mean[i % classes] / (end - first)));
            }
        }
        return sum / (end - first);
    }
}
