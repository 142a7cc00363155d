package org.tornadodit.kernels.check;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.Variant;

/**
 * An operation at one shape, and all ways to run it.
 *
 * @param operation what is tuned
 * @param variants the default first
 * @param launches how often it runs in a denoising step
 * @param ceiling what bounds it
 * @param cases makes the operation's arrays, then the case of any variant on them; a kernel that works in place gets
 *     a fresh array in each case
 */
public record Tunable(
        OperationShape operation,
        List<Variant> variants,
        int launches,
        Ceiling ceiling,
        Supplier<Function<Variant, KernelCase>> cases) {

    public Tunable {
        variants = List.copyOf(variants);
        if (variants.isEmpty()) {
            throw new IllegalArgumentException(operation + " has no variant");
        }
    }

    /** An operation that can be run in one way only, timed for the table. */
    static Tunable fixed(OperationShape operation, Ceiling ceiling, Supplier<KernelCase> only) {
        return new Tunable(operation, List.of(Variant.ONLY), 1, ceiling, () -> {
            KernelCase kernel = only.get();
            return variant -> kernel;
        });
    }

    /** The same operation, run so many times in a step. */
    public Tunable times(int count) {
        return new Tunable(operation, variants, count, ceiling, cases);
    }

    /** The same operation in one variant alone. */
    public Tunable in(Variant variant) {
        return new Tunable(operation, List.of(variant), launches, ceiling, cases);
    }

    /** The operation's variant by default. */
    public Variant standard() {
        return variants.getFirst();
    }
}
