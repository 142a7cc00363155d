package org.tornadodit.runner.measure;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tornadodit.kernels.check.Ceiling;
import org.tornadodit.runner.report.RunRecord;
import org.tornadodit.scheduler.tune.TriedVariant;
import org.tornadodit.scheduler.tune.TunedOperation;

/**
 * Kernels with their times, for people and as JSON.
 *
 * @param ceilings bytes or operations a second that the device reaches
 */
record KernelTable(List<TunedOperation> operations, Map<Ceiling, Double> ceilings) {

    /** What a step's kernels take, milliseconds, with the defaults. */
    double standardStep() {
        return operations.stream()
                .mapToDouble(one -> 1e3 * one.launches() * one.standardTiming().median())
                .filter(Double::isFinite)
                .sum();
    }

    /** What a step's kernels take, milliseconds, as chosen. */
    double chosenStep() {
        return operations.stream()
                .mapToDouble(one -> 1e3 * one.launches() * one.chosenTiming().median())
                .filter(Double::isFinite)
                .sum();
    }

    /** One row an operation, then what was refused. */
    void print(PrintWriter out) {
        ceilings.forEach((ceiling, rate) -> out.println(
                String.format(Locale.ROOT, "ceiling: %s, measured by %s", rate(ceiling, rate), ceiling.measuredBy())));
        out.println();
        out.println(
                "| operation | shape | launches | variants | best | default, us | best, us | rate | of the ceiling |");
        out.println("|---|---|---|---|---|---|---|---|---|");
        for (TunedOperation one : operations) {
            Double ceiling = ceilings.get(one.ceiling());
            out.println(String.format(
                    Locale.ROOT,
                    "| %s | %s | %d | %d | %s | %.1f | %.1f | %s | %s |",
                    one.operation().operation(),
                    one.operation().shape(),
                    one.launches(),
                    one.tried().size(),
                    one.chosen().map(Object::toString).orElse("none: the default is wrong"),
                    1e6 * one.standardTiming().median(),
                    1e6 * one.chosenTiming().median(),
                    rate(one.ceiling(), one.rate()),
                    ceiling == null ? "" : "%.0f %%".formatted(100 * one.rate() / ceiling)));
        }
        for (TunedOperation one : operations) {
            for (TriedVariant refused : one.refused()) {
                out.println("refused: %s, %s: %s, %s"
                        .formatted(
                                one.operation(),
                                refused.variant(),
                                refused.verdict()
                                        .name()
                                        .toLowerCase(Locale.ROOT)
                                        .replace('_', ' '),
                                refused.reason()));
            }
        }
    }

    private static String rate(Ceiling ceiling, double rate) {
        if (ceiling == Ceiling.MEMORY) {
            return String.format(Locale.ROOT, rate < 1e10 ? "%.2f GB/s" : "%.0f GB/s", rate / 1e9);
        }
        return arithmetic(rate);
    }

    /** Operations a second with their unit. */
    static String arithmetic(double rate) {
        return rate < 1e11
                ? String.format(Locale.ROOT, "%.2f GFLOP/s", rate / 1e9)
                : String.format(Locale.ROOT, "%.1f TFLOP/s", rate / 1e12);
    }

    /** Adds {@code ceilings} and {@code kernels} to a record. */
    void addTo(JsonObject record) {
        JsonObject rates = new JsonObject();
        ceilings.forEach((ceiling, rate) -> rates.addProperty(ceiling.name().toLowerCase(Locale.ROOT), rate));
        record.add("ceilings", rates);
        JsonArray kernels = new JsonArray();
        for (TunedOperation one : operations) {
            if (one.chosen().isEmpty()) {
                continue;
            }
            JsonObject kernel = RunRecord.timing(one.operation().operation(), one.chosenTiming());
            kernel.addProperty("shape", one.operation().shape());
            kernel.addProperty("variant", one.chosen().get().toString());
            kernel.addProperty("variants", one.tried().size());
            kernel.addProperty("default_ms", 1e3 * one.standardTiming().median());
            kernel.addProperty("launches", one.launches());
            kernel.addProperty("error", one.error());
            kernel.addProperty("flop", one.flop());
            kernel.addProperty("bytes", one.bytes());
            kernel.addProperty("ceiling", one.ceiling().name().toLowerCase(Locale.ROOT));
            JsonArray tried = new JsonArray();
            for (TriedVariant variant : one.tried()) {
                JsonObject json = new JsonObject();
                json.addProperty("variant", variant.variant().toString());
                if (variant.isTimed()) {
                    json.addProperty("ms", 1e3 * variant.timing().median());
                } else {
                    json.addProperty("refused", variant.reason());
                }
                tried.add(json);
            }
            kernel.add("tried", tried);
            kernels.add(kernel);
        }
        record.add("kernels", kernels);
    }
}
