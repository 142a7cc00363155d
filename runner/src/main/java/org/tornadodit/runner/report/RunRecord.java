package org.tornadodit.runner.report;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.pipeline.setup.Machine;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.tune.Timing;
import picocli.CommandLine.Model.CommandSpec;

/** The JSON of a measurement: what was run when, where and how, which every record begins with. {@code report} reads it. */
public final class RunRecord {
    /** Number of the format; a reader refuses others. */
    static final int FORMAT = 1;

    private RunRecord() {}

    /**
     * A record without results.
     *
     * @param kind what is measured: {@code bench} or {@code autotune}
     * @param devices TornadoVM's; none for the CPU engine
     * @param note the user's words on what the run shows; null for none
     */
    public static JsonObject begin(String kind, CommandSpec spec, List<ListedDevice> devices, @Nullable String note) {
        JsonObject record = new JsonObject();
        record.addProperty("format", FORMAT);
        record.addProperty("kind", kind);
        record.addProperty("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        record.addProperty("command", commandLine(spec));
        if (note != null) {
            record.addProperty("note", note);
        }
        record.addProperty("project", Machine.projectVersion());
        record.addProperty(
                "device", devices.isEmpty() ? processor() : devices.getFirst().name());
        record.addProperty("devices", Math.max(1, devices.size()));
        if (!devices.isEmpty()) {
            ListedDevice device = devices.getFirst();
            record.addProperty("backend", device.backend());
            device.capability().ifPresent(capability -> record.addProperty("capability", capability));
            Machine.driverVersion().ifPresent(driver -> record.addProperty("driver", driver));
            record.addProperty("tornadovm", Machine.tornadoVersion());
        }
        record.addProperty("java", Runtime.version().toString());
        record.addProperty("processor", processor());
        record.addProperty("processors", Runtime.getRuntime().availableProcessors());
        return record;
    }

    private static String commandLine(CommandSpec spec) {
        return Stream.concat(Stream.of("./dit"), spec.root().commandLine().getParseResult().originalArgs().stream())
                .map(word -> word.matches("[\\w./=,:@%+-]+") ? word : "'" + word.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" "));
    }

    private static String processor() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("CPU");
        } catch (IOException elsewhere) {
            return "CPU";
        }
    }

    /** A time in milliseconds with its spread. */
    public static JsonObject timing(String name, Timing seconds) {
        JsonObject timing = new JsonObject();
        timing.addProperty("name", name);
        timing.addProperty("ms", 1e3 * seconds.median());
        timing.addProperty("shortest_ms", 1e3 * seconds.shortest());
        timing.addProperty("longest_ms", 1e3 * seconds.longest());
        timing.addProperty("repetitions", seconds.repetitions());
        return timing;
    }

    public static JsonArray array(List<JsonObject> items) {
        JsonArray array = new JsonArray();
        items.forEach(array::add);
        return array;
    }

    public static String text(JsonObject record) {
        return new GsonBuilder()
                .setPrettyPrinting()
                .disableHtmlEscaping()
                .create()
                .toJson(record);
    }

    public static void write(Path file, JsonObject record) throws IOException {
        byte[] json = (text(record) + "\n").getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(file, out -> out.write(json));
    }
}
