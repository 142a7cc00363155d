package org.tornadodit.scheduler.tune;

import java.util.List;
import java.util.Optional;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.Ceiling;

/**
 * What the autotuner found for one operation.
 *
 * @param tried every variant, the default first
 * @param chosen the fastest of those that are right; empty when the default itself is wrong
 * @param error of the default against float64, ||out - ref|| / ||ref||
 * @param launches in a denoising step
 * @param flop of one launch, 0 where bytes count
 * @param bytes of one launch, at least
 */
public record TunedOperation(
        OperationShape operation,
        List<TriedVariant> tried,
        Optional<Variant> chosen,
        double error,
        int launches,
        Ceiling ceiling,
        double flop,
        double bytes) {

    public TunedOperation {
        tried = List.copyOf(tried);
    }

    /** The default's times. */
    public Timing standardTiming() {
        return tried.getFirst().timing();
    }

    /** The chosen variant's times, else the default's. */
    public Timing chosenTiming() {
        return tried.stream()
                .filter(one -> chosen.isPresent() && one.variant().equals(chosen.get()))
                .findFirst()
                .orElse(tried.getFirst())
                .timing();
    }

    /** Variants that were refused, each with its reason. */
    public List<TriedVariant> refused() {
        return tried.stream().filter(one -> !one.isTimed()).toList();
    }

    /** Operations or bytes a second, whichever bounds the kernel, of the chosen variant. */
    public double rate() {
        return (ceiling == Ceiling.MEMORY ? bytes : flop) / chosenTiming().median();
    }
}
