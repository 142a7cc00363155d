package org.tornadodit.runner.report;

import com.google.gson.JsonObject;
import java.util.Optional;
import java.util.OptionalDouble;
import org.tornadodit.model.Printable;

/**
 * Whether what a record is computed with can have been measured: a device with a bandwidth of 0, or more operations than a
 * double holds, would make figures that are no numbers, and axes without an end. What is missing is no fault.
 */
final class RecordedNumbers {
    private static final int MOST_DEVICES = 1024;

    /** What can be measured, in milliseconds: from a nanosecond to eleven days. */
    private static final Range TIME = new Range(1e-6, 1e9);

    /** Bytes or operations a second. */
    private static final Range RATE = new Range(1e3, 1e18);

    /** Bytes or operations of a kernel. */
    private static final Range WORK = new Range(1, 1e18);

    private static final Range LAUNCHES = new Range(1, 1e6);

    private RecordedNumbers() {}

    private record Range(double least, double most) {
        boolean has(double value) {
            return value >= least && value <= most; // false for what is no number
        }
    }

    /** The first number that cannot be, in words; empty where there is none. */
    static Optional<String> odd(RecordedRun run) {
        OptionalDouble devices = RecordedRun.number(run.json(), "devices");
        if (devices.isPresent()
                && (!new Range(1, MOST_DEVICES).has(devices.getAsDouble())
                        || devices.getAsDouble() != Math.rint(devices.getAsDouble()))) {
            return Optional.of("%s devices, expected 1 to %d".formatted(shown(run.json(), "devices"), MOST_DEVICES));
        }
        JsonObject ceilings = run.object("ceilings");
        for (String name : ceilings.keySet()) {
            OptionalDouble rate = RecordedRun.number(ceilings, name);
            if (rate.isPresent() && !RATE.has(rate.getAsDouble())) {
                return Optional.of("a ceiling of " + shown(ceilings, name) + " a second, " + Printable.text(name));
            }
        }
        for (JsonObject measurement : run.objects("measurements")) {
            if (isOdd(measurement, "ms", TIME, true)) {
                return Optional.of("a time of " + shown(measurement, "ms") + " ms");
            }
        }
        for (JsonObject kernel : run.objects("kernels")) {
            if (isOdd(kernel, "ms", TIME, true)) {
                return Optional.of("a kernel of " + shown(kernel, "ms") + " ms");
            }
            if (isOdd(kernel, "launches", LAUNCHES, false)) {
                return Optional.of("a kernel of " + shown(kernel, "launches") + " launches");
            }
            for (String work : new String[] {"flop", "bytes"}) {
                if (isOdd(kernel, work, WORK, true)) {
                    return Optional.of("a kernel of " + shown(kernel, work) + " " + work);
                }
            }
        }
        return Optional.empty();
    }

    /** @param orZero whether 0 says that there is none */
    private static boolean isOdd(JsonObject object, String key, Range range, boolean orZero) {
        OptionalDouble value = RecordedRun.number(object, key);
        return value.isPresent() && !range.has(value.getAsDouble()) && !(orZero && value.getAsDouble() == 0);
    }

    /** A number as the record has it. */
    private static String shown(JsonObject object, String key) {
        return Printable.text(RecordedRun.text(object, key), 40);
    }
}
