package org.tornadodit.scheduler.tune;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tornadodit.kernels.check.KernelCase;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * A copy of what a kernel made.
 *
 * @param bytes of the output array, padding included
 */
record Output(MemorySegment bytes) {

    static Output of(KernelCase kernel) {
        MemorySegment made = segment(kernel);
        return new Output(Arena.ofAuto().allocate(made.byteSize(), Long.BYTES).copyFrom(made));
    }

    private static MemorySegment segment(KernelCase kernel) {
        return ((TornadoNativeArray) kernel.output()).getSegment();
    }

    /**
     * How far what a kernel made now is from this.
     *
     * @param values that differ
     * @param distance ||made - this|| / ||this||
     */
    record Difference(int values, double distance) {
        static final Difference NONE = new Difference(0, 0);
    }

    /** Compares bit by bit; where bits differ, number by number, since padding does not count. */
    Difference differenceOf(KernelCase kernel) {
        MemorySegment made = segment(kernel);
        if (made.mismatch(bytes) < 0) {
            return Difference.NONE;
        }
        double[] numbers = new double[kernel.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = kernel.actual().applyAsDouble(i);
        }
        Output now = of(kernel);
        made.copyFrom(bytes);
        int values = 0;
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < numbers.length; i++) {
            double expected = kernel.actual().applyAsDouble(i);
            if (Double.doubleToRawLongBits(expected) != Double.doubleToRawLongBits(numbers[i])) {
                values++;
            }
            difference += (numbers[i] - expected) * (numbers[i] - expected);
            norm += expected * expected;
        }
        made.copyFrom(now.bytes);
        return new Difference(values, Math.sqrt(difference / norm));
    }
}
