package org.tornadodit.runner.measure;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tornadodit.runner.report.RunRecord;

/**
 * The results of a measurement, printed.
 *
 * @param record with its conditions
 * @param measurements of the engine
 * @param kernels null where none were timed
 * @param cpu whether the CPU engine was timed
 */
record BenchTable(
        JsonObject record,
        List<JsonObject> measurements,
        @Nullable KernelTable kernels,
        boolean cpu) {

    /** How results are printed. */
    enum Format {
        MD,
        CSV,
        JSON
    }

    BenchTable {
        measurements = List.copyOf(measurements);
    }

    void print(PrintWriter out, Format format) {
        if (format == Format.JSON) {
            out.println(RunRecord.text(record));
            return;
        }
        List<JsonObject> rows = new ArrayList<>(measurements);
        if (kernels != null && format == Format.CSV) {
            JsonArray all = record.getAsJsonArray("kernels");
            all.forEach(kernel -> rows.add(kernel.getAsJsonObject()));
        }
        if (format == Format.CSV) {
            out.println("name,shape,variant,ms,shortest_ms,longest_ms,repetitions");
            for (JsonObject row : rows) {
                out.println(String.format(
                        Locale.ROOT,
                        "%s,%s,\"%s\",%.6f,%.6f,%.6f,%d",
                        row.get("name").getAsString(),
                        row.has("shape") ? row.get("shape").getAsString() : "",
                        row.has("variant") ? row.get("variant").getAsString() : "",
                        row.get("ms").getAsDouble(),
                        row.get("shortest_ms").getAsDouble(),
                        row.get("longest_ms").getAsDouble(),
                        row.get("repetitions").getAsInt()));
            }
            return;
        }
        out.println("%s x %d, %s"
                .formatted(
                        record.get("device").getAsString(),
                        record.get("devices").getAsInt(),
                        record.get("date").getAsString()));
        out.println(conditions(record.getAsJsonObject("options"), cpu));
        if (!rows.isEmpty()) {
            out.println("| what | median, ms | shortest | longest | repetitions | rate |");
            out.println("|---|---|---|---|---|---|");
        }
        for (JsonObject row : rows) {
            double ms = row.get("ms").getAsDouble();
            out.println(String.format(
                    Locale.ROOT,
                    "| %s | %.3f | %.3f | %.3f | %d | %s |",
                    row.get("name").getAsString(),
                    ms,
                    row.get("shortest_ms").getAsDouble(),
                    row.get("longest_ms").getAsDouble(),
                    row.get("repetitions").getAsInt(),
                    row.has("flop") ? KernelTable.arithmetic(row.get("flop").getAsDouble() / ms * 1e3) : ""));
        }
        if (kernels != null) {
            kernels.print(out);
        }
    }

    /** Model and options in one line, those alone that have an effect on the device. */
    private static String conditions(JsonObject options, boolean cpu) {
        List<String> parts = new ArrayList<>();
        parts.add(options.get("model").getAsString());
        String size = options.get("image_size").getAsString();
        parts.add(size + " x " + size);
        parts.add("batch of " + options.get("batch").getAsString());
        parts.add(options.get("sampler").getAsString() + " of "
                + options.get("steps").getAsString() + " steps");
        parts.add("guidance " + options.get("guidance").getAsString());
        parts.add(options.get("weights").getAsString().equals("random") ? "random weights" : "weights of a checkpoint");
        if (cpu) {
            String threads = options.get("threads").getAsString();
            parts.add(threads + (threads.equals("1") ? " thread" : " threads"));
        } else {
            parts.add("precision " + options.get("precision").getAsString());
            parts.add("kernels " + options.get("kernels").getAsString());
            parts.add(options.get("tuned_operations").getAsString() + " operations tuned");
        }
        return String.join(", ", parts);
    }
}
