package org.tornadodit.scheduler.tune;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.KernelCase;
import org.tornadodit.kernels.check.Nonsense;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.scheduler.tune.Output.Difference;
import org.tornadodit.scheduler.tune.TriedVariant.Verdict;

/**
 * Finds the fastest variant of every operation on a device. A variant is timed only when it is right: elements spread
 * over its output agree with the float64 reference within the operation's bound, and its whole output is the default's,
 * bit for bit. So neither tuning nor the number of devices that share a batch changes a picture.
 */
public final class Autotuner {
    /** Elements that are compared with float64. */
    private static final int SAMPLES = 500;
    /** A variant must be this much faster than the default to be chosen: less is the clock's noise. */
    private static final double GAIN = 0.01;

    private final KernelRunner runner;
    private final LongSupplier nanoTime;
    private final long deadline;

    /** @param budgetSeconds after which no further operation is begun; one that was begun and not finished is dropped */
    public Autotuner(KernelRunner runner, double budgetSeconds) {
        this(runner, budgetSeconds, System::nanoTime);
    }

    Autotuner(KernelRunner runner, double budgetSeconds, LongSupplier nanoTime) {
        this.runner = runner;
        this.nanoTime = nanoTime;
        deadline = nanoTime.getAsLong() + (long) Math.min(1e9 * budgetSeconds, 1e18);
    }

    /**
     * Tunes operations one after the other.
     *
     * @param finished called after each, so that what is known by then can be kept
     * @return the operations that were finished within the budget
     */
    public List<TunedOperation> tune(List<Tunable> operations, Consumer<TunedOperation> finished) {
        List<TunedOperation> results = new ArrayList<>();
        for (Tunable operation : operations) {
            @Nullable TunedOperation result = tune(operation);
            if (result == null) {
                break;
            }
            results.add(result);
            finished.accept(result);
        }
        return results;
    }

    private boolean isOver() {
        return nanoTime.getAsLong() - deadline >= 0;
    }

    /** All variants of an operation; null when the time is over. */
    private @Nullable TunedOperation tune(Tunable operation) {
        if (isOver()) {
            return null;
        }
        Function<Variant, KernelCase> cases = operation.cases().get();
        Checked first = check(cases, operation.standard(), null);
        List<TriedVariant> tried = new ArrayList<>(List.of(first.tried()));
        if (first.output() == null) {
            return result(operation, first, tried, Optional.empty());
        }
        for (Variant variant :
                operation.variants().subList(1, operation.variants().size())) {
            if (isOver()) {
                return null;
            }
            tried.add(check(cases, variant, first.output()).tried());
        }
        TriedVariant best = tried.stream()
                .filter(TriedVariant::isTimed)
                .min(Comparator.comparingDouble(one -> one.timing().median()))
                .orElseThrow();
        if (!best.variant().equals(operation.standard())) {
            // The default came first, perhaps on a colder device: give it a second chance, with its better time.
            TriedVariant again =
                    check(cases, operation.standard(), first.output()).tried();
            if (again.isTimed()
                    && again.timing().median() < first.tried().timing().median()) {
                tried.set(0, again);
            }
            if (!(best.timing().median()
                    < (1 - GAIN) * tried.getFirst().timing().median())) {
                best = tried.getFirst();
            }
        }
        return result(operation, first, tried, Optional.of(best.variant()));
    }

    private static TunedOperation result(
            Tunable operation, Checked standard, List<TriedVariant> tried, Optional<Variant> chosen) {
        return new TunedOperation(
                operation.operation(),
                tried,
                chosen,
                standard.error(),
                operation.launches(),
                operation.ceiling(),
                standard.flop(),
                standard.bytes());
    }

    /**
     * A variant's check.
     *
     * @param error against float64
     * @param flop of the kernel
     * @param bytes of the kernel
     * @param output a copy of what the default made; null where the check failed
     */
    private record Checked(
            TriedVariant tried,
            double error,
            double flop,
            double bytes,
            @Nullable Output output) {}

    /**
     * Checks a variant and times it.
     *
     * @param expected the default's output; null for the default itself
     */
    private Checked check(Function<Variant, KernelCase> cases, Variant variant, @Nullable Output expected) {
        try {
            return check(cases.apply(variant), variant, expected);
        } catch (VirtualMachineError e) {
            throw e;
        } catch (RuntimeException | Error e) { // TornadoVM's compiler throws errors, too
            return refused(variant, Double.NaN, Verdict.FAILED, "%s", firstLine(e));
        }
    }

    private Checked check(KernelCase kernel, Variant variant, @Nullable Output expected) {
        boolean inPlace = DeviceRunner.worksInPlace(kernel);
        if (!inPlace) {
            Nonsense.write(kernel.output());
        }
        try (KernelRunner.Prepared prepared = runner.prepare(kernel, variant)) {
            prepared.runForCheck();
            double error = kernel.error(SAMPLES);
            if (!(error <= kernel.bound())) {
                return refused(variant, error, Verdict.WRONG, "error %.2e, allowed %.2e", error, kernel.bound());
            }
            if (expected != null) {
                Difference found = expected.differenceOf(kernel);
                if (found.values() > 0) {
                    return refused(
                            variant,
                            error,
                            found.distance() <= 2 * kernel.bound() ? Verdict.OTHER_BITS : Verdict.WRONG,
                            "%d of %d values are not the default's, %.2e apart",
                            found.values(),
                            kernel.size(),
                            found.distance());
                }
            }
            Output output = expected == null ? Output.of(kernel) : expected;
            Timing timing = Timing.measure(prepared::time);
            if (!inPlace) {
                prepared.runForCheck();
                if (output.differenceOf(kernel).values() > 0) {
                    return refused(variant, error, Verdict.WRONG, "a second run gave other values");
                }
            }
            TriedVariant timed = new TriedVariant(variant, Verdict.TIMED, "", timing);
            return new Checked(timed, error, kernel.flop(), kernel.bytes(), output);
        }
    }

    private static Checked refused(Variant variant, double error, Verdict verdict, String reason, Object... arguments) {
        String words = String.format(Locale.ROOT, reason, arguments);
        return new Checked(TriedVariant.refused(variant, verdict, words), error, 0, 0, null);
    }

    private static String firstLine(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause).lines().findFirst().orElse("");
    }
}
