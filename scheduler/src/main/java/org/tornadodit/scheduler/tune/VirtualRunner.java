package org.tornadodit.scheduler.tune;

import java.util.function.ToDoubleBiFunction;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.KernelCase;

/**
 * Runs kernels for their results, but makes their times up: for machines without a device, where the time that the
 * emulation takes says nothing.
 *
 * @param kernels where they run
 * @param seconds the time of a case in a variant
 */
public record VirtualRunner(KernelRunner kernels, ToDoubleBiFunction<KernelCase, Variant> seconds)
        implements KernelRunner {

    /** Times between 50 and 150 microseconds that depend on operation, shape and variant alone. */
    public static VirtualRunner over(KernelRunner kernels) {
        return new VirtualRunner(kernels, (kernel, variant) -> {
            int mixed = (kernel.name() + kernel.shape() + variant).hashCode() * 0x9e3779b9;
            return 1e-6 * (50 + Integer.remainderUnsigned(mixed, 101));
        });
    }

    @Override
    public Prepared prepare(KernelCase kernel, Variant variant) {
        Prepared real = kernels.prepare(kernel, variant);
        double time = seconds.applyAsDouble(kernel, variant);
        return new Prepared() {
            @Override
            public void runForCheck() {
                real.runForCheck();
            }

            @Override
            public double time() {
                return time;
            }

            @Override
            public void close() {
                real.close();
            }
        };
    }
}
