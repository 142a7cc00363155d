package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.scheduler.graph.Count;
import org.tornadodit.scheduler.plan.Part;

/** The figures of README.md and docs/performance.md are those of the records, and the same everywhere. */
class DocumentFiguresTest {
    private static final Path ROOT = CommandLineRun.ROOT;

    private static String text(String file) throws IOException {
        return Files.readString(ROOT.resolve(file));
    }

    private static JsonObject record(String name) throws IOException {
        return JsonParser.parseString(text("results/" + name)).getAsJsonObject();
    }

    private static double milliseconds(JsonObject record, String what) {
        for (JsonElement one : record.getAsJsonArray("measurements")) {
            if (one.getAsJsonObject().get("name").getAsString().equals(what)) {
                return one.getAsJsonObject().get("ms").getAsDouble();
            }
        }
        throw new AssertionError("no " + what + " in the record");
    }

    /** Records of tornado-dit in README's table: precision and GPUs. */
    private static Stream<JsonObject> shown() {
        return Stream.of("highest", "high", "higher")
                .flatMap(precision -> Stream.of(1, 2, 4).map(devices -> call(devices) + precision + "-" + devices))
                .map(run -> {
                    try {
                        return record(run + ".json");
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                });
    }

    /** How the names of a call's records begin. */
    private static String call(int devices) {
        return devices == 4 ? "h200-x4-1128-" : "h200-x2-1129-";
    }

    /** Seconds of PyTorch in strict FP32 in the same call. */
    private static double strict(int devices) throws IOException {
        for (JsonElement engine : record(call(devices) + "compare.json").getAsJsonArray("engines")) {
            JsonObject row = engine.getAsJsonObject();
            if (row.get("name").getAsString().equals("PyTorch, strict FP32")) {
                return row.get("seconds").getAsDouble();
            }
        }
        throw new AssertionError("no PyTorch in the call's record");
    }

    @Test
    void tablesHoldTheRecordsFigures() throws IOException {
        String readme = text("README.md");
        String performance = text("docs/performance.md");
        for (JsonObject record : shown().toList()) {
            String precision =
                    record.getAsJsonObject("options").get("precision").getAsString();
            int devices = record.get("devices").getAsInt();
            double whole = milliseconds(record, "sampling") / 1e3;
            String figures = String.format(
                    Locale.ROOT,
                    "| %d | %.1f | %.0f |",
                    devices,
                    milliseconds(record, "step"),
                    milliseconds(record, "vae"));
            String name = precision.equals("highest") ? "" : ", `--matmul-precision " + precision + "`";
            String row = "| tornado-dit" + name + " " + figures;
            assertTrue(
                    readme.contains(
                            String.format(Locale.ROOT, "%s %.1f | %.1f |", row, whole, strict(devices) / whole)),
                    row);
            String when = devices == 4 ? ", 2026-11-28" : "";
            String bold = String.format(Locale.ROOT, "| `%s`%s %s %.2f |", precision, when, figures, whole);
            assertTrue(performance.replace("**", "").contains(bold), bold);
        }
    }

    @Test
    void sentencesRepeatTheTablesFigures() throws IOException {
        List<Double> whole =
                shown().map(record -> milliseconds(record, "sampling") / 1e3).toList();
        String readme = text("README.md").replaceAll("\\s+", " ");
        for (String sentence : List.of(
                String.format(Locale.ROOT, "takes %.1f s on one H200 and %.1f s on two", whole.get(0), whole.get(1)),
                String.format(
                        Locale.ROOT,
                        "| one NVIDIA H200 | %.1f s; `--matmul-precision high` %.1f s |",
                        whole.get(0),
                        whole.get(3)),
                String.format(Locale.ROOT, "| two | %.1f s; `high` %.1f s |", whole.get(1), whole.get(4)),
                String.format(
                        Locale.ROOT,
                        "| four, with earlier kernels | %.1f s; `high` %.1f s |",
                        whole.get(2),
                        whole.get(5)))) {
            assertTrue(readme.contains(sentence), sentence);
        }
        String factors = String.format(
                Locale.ROOT, "%.1f and %.1f times as fast", strict(1) / whole.get(0), strict(1) / whole.get(3));
        assertTrue(text("CHANGELOG.md").contains(factors), factors);
    }

    @Test
    void memoryIsTheRecords() throws IOException {
        JsonObject one = record("h200-x2-1129-highest-1.json");
        JsonObject four = record("h200-x4-1128-highest-4.json");
        String memory = String.format(
                Locale.ROOT,
                "It takes %.1f GiB of device memory, %.1f on each of four",
                one.getAsJsonArray("memory_mib").get(0).getAsInt() / 1024.0,
                four.getAsJsonArray("memory_mib").get(0).getAsInt() / 1024.0);
        assertTrue(text("README.md").replaceAll("\\s+", " ").contains(memory), memory);
    }

    @Test
    void picturesOfTheFirstModelAreTheRecords() throws IOException {
        String performance = text("docs/performance.md");
        int judged = 0;
        for (JsonElement element : record("h100-fidelity.json").getAsJsonArray("rows")) {
            JsonObject row = element.getAsJsonObject();
            if (row.get("case").getAsString().equals("xl2")) {
                String line = String.format(
                        Locale.ROOT,
                        "| `%s` | %.4f | %.1f | %s |",
                        row.get("precision").getAsString(),
                        row.get("mae").getAsDouble(),
                        row.get("psnr").getAsDouble(),
                        row.get("gates").getAsString());
                assertTrue(performance.contains(line), line);
                judged++;
            }
        }
        assertEquals(2, judged);
    }

    @Test
    void aCpusHoursFollowFromItsRate() throws IOException {
        String performance = text("docs/performance.md").replaceAll("\\s+", " ");
        double step = guidedFlops("DiT-B/2", 1);
        double rate = 2 * step / 6.05; // operations a second of two cores
        assertTrue(performance.contains(String.format(
                Locale.ROOT, "6.05 s a step of %.0f GFLOP, %.0f GFLOP/s a core", step * 1e-9, rate / 2 * 1e-9)));
        double large = guidedFlops("DiT-XL/2", 8);
        assertTrue(performance.contains(String.format(Locale.ROOT, "two cores %.1f hours", 250 * large / rate / 3600)));
        assertTrue(text("README.md")
                .contains(String.format(Locale.ROOT, "about %.0f hours, computed", 250 * large / rate / 3600)));
    }

    private static double guidedFlops(String model, int samples) {
        DitConfig config = DitVariant.parse(model).config(512, 1000);
        return Count.ofStep(config, Part.of(config, samples, true)).flops();
    }
}
