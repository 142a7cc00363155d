package org.tornadodit.scheduler.tune;

import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.KernelCase;

/** Where kernels are checked and timed. */
public interface KernelRunner {

    /**
     * Compiles a case and uploads its arrays.
     *
     * @param variant which way of running it the case is
     * @throws RuntimeException when the kernel does not compile
     */
    Prepared prepare(KernelCase kernel, Variant variant);

    /** A kernel that is ready to run. */
    interface Prepared extends AutoCloseable {

        /**
         * Runs once and brings the output to the host. The output holds nonsense before, so that what a kernel leaves
         * out shows, even where the device's memory still has the right values of a run before; but an array that the
         * kernel both reads and writes is left as it is.
         */
        void runForCheck();

        /** Runs once and tells the kernel's time in seconds. */
        double time();

        @Override
        void close();
    }
}
