package org.tornadodit.scheduler.tune;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.KernelCase;

/**
 * A time, measured several times.
 *
 * @param median seconds
 * @param shortest seconds
 * @param longest seconds
 * @param repetitions how often, warm-up apart
 */
public record Timing(double median, double shortest, double longest, int repetitions) {

    /** Of what was not timed. */
    public static final Timing NONE = new Timing(Double.NaN, Double.NaN, Double.NaN, 0);

    private static final int WARM_UP = 3;
    private static final int FEWEST = 7;
    private static final int MOST = 41;
    private static final int CHECKED = 500;
    /** Seconds after which there are enough repetitions. */
    private static final double ENOUGH = 0.1;

    /** Of times in seconds, at least one. */
    public static Timing of(double... seconds) {
        double[] sorted = seconds.clone();
        Arrays.sort(sorted);
        return new Timing(
                (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2,
                sorted[0],
                sorted[sorted.length - 1],
                sorted.length);
    }

    /** The shortest time of a kernel without variants; empty when it does not compile, or its check fails. */
    public static OptionalDouble ifRight(KernelRunner runner, KernelCase kernel, int repetitions) {
        try (KernelRunner.Prepared prepared = runner.prepare(kernel, Variant.ONLY)) {
            prepared.runForCheck();
            if (!(kernel.error(CHECKED) <= kernel.bound())) {
                return OptionalDouble.empty();
            }
            return IntStream.range(0, repetitions)
                    .mapToDouble(i -> prepared.time())
                    .min();
        } catch (VirtualMachineError e) {
            throw e;
        } catch (RuntimeException | Error e) { // TornadoVM's compiler throws errors, too
            System.getLogger(Timing.class.getName()).log(System.Logger.Level.DEBUG, kernel.name(), e);
            return OptionalDouble.empty();
        }
    }

    /** Runs something until its time is known: some warm-up, then more repetitions the shorter it is. */
    static Timing measure(DoubleSupplier seconds) {
        double last = 0;
        for (int i = 0; i < WARM_UP; i++) {
            last = seconds.getAsDouble();
        }
        int count = (int) Math.clamp(ENOUGH / Math.max(last, 1e-9), FEWEST, MOST);
        double[] times = new double[count];
        for (int i = 0; i < count; i++) {
            times[i] = seconds.getAsDouble();
        }
        return of(times);
    }
}
