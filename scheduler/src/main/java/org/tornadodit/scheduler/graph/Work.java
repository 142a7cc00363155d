package org.tornadodit.scheduler.graph;

import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.scheduler.plan.Part.Span;

/**
 * What a launch of a kernel does.
 *
 * @param operation the kernel at its sizes
 * @param flops of products of matrices, a multiplication and an addition being two; what else a kernel computes counts nothing
 * @param weightBytes of the model's weights that it reads, each once
 * @param activationBytes of other arrays that it reads and writes, each once
 * @param tunable how it is checked, timed and tuned by itself; null where it is not
 * @param cycles that a number of passes of the model take as it is compiled, by the model that tiles are chosen by; null where
 *     none is chosen
 */
public record Work(
        OperationShape operation,
        double flops,
        double weightBytes,
        double activationBytes,
        @Nullable Tunable tunable,
        @Nullable IntToDoubleFunction cycles) {

    /** Of a kernel without a tile that depends on the number of rows. */
    Work(
            OperationShape operation,
            double flops,
            double weightBytes,
            double activationBytes,
            @Nullable Tunable tunable) {
        this(operation, flops, weightBytes, activationBytes, tunable, null);
    }

    /** The same, with a tile that was chosen. */
    Work withCycles(IntToDoubleFunction ofPasses) {
        return new Work(operation, flops, weightBytes, activationBytes, tunable, ofPasses);
    }

    /** A part of the same, of what is done once for several steps. */
    Work share(double share) {
        IntToDoubleFunction all = cycles;
        return new Work(
                operation,
                share * flops,
                share * weightBytes,
                share * activationBytes,
                tunable,
                all == null ? null : passes -> share * all.applyAsDouble(passes));
    }

    /** A kernel that multiplies no matrices and reads no weights. */
    static Work moving(double activationBytes, String operation, int... sizes) {
        return new Work(OperationShape.of(operation, sizes), 0, 0, activationBytes, null);
    }

    /** As {@link #moving(double, String, int...)}. */
    static Work moving(Tunable tunable, double activationBytes) {
        return new Work(tunable.operation(), 0, 0, activationBytes, tunable);
    }

    /**
     * A product of (m, k) activations and (n, k) weights, and a bias.
     *
     * @param elementBytes of a weight
     * @param activationBytes that it reads and writes
     */
    static Work product(Tunable tunable, double m, double n, double k, int elementBytes, double activationBytes) {
        return new Work(
                tunable.operation(), 2 * m * n * k, n * k * elementBytes + n * Float.BYTES, activationBytes, tunable);
    }

    /** Attention of some tokens of all passes: the products of queries with keys, and of probabilities with values. */
    static Work attention(
            Tunable tunable, Operations.Rows rows, Span queries, int heads, int headSize, int elementBytes) {
        double width = (double) heads * headSize;
        double m = (double) rows.passes() * queries.count();
        double moved = 2.0 * rows.passes() * (rows.tokens() + queries.count()) * width;
        return new Work(tunable.operation(), 4 * m * rows.tokens() * width, 0, moved * elementBytes, tunable);
    }

    /**
     * A convolution of {@code pixels} outputs in all images: {@code taps} products of (pixels, in) and (out, in).
     *
     * @param elementBytes of a weight
     * @param activationBytes that it reads and writes
     */
    static Work convolution(
            OperationShape operation,
            double pixels,
            double out,
            double in,
            int taps,
            int elementBytes,
            double activationBytes) {
        return new Work(
                operation,
                2 * pixels * taps * out * in,
                taps * out * in * elementBytes + out * Float.BYTES,
                activationBytes,
                null);
    }
}
