package org.tornadodit.runner.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.tornadodit.model.Printable;

/**
 * One measurement as it was recorded.
 *
 * @param file its name
 * @param json what it says
 */
record RecordedRun(String file, JsonObject json) {
    private static final int LARGEST = 16 << 20;

    /** Of a line that is shown, in characters. */
    private static final int LONGEST_TEXT = 2000;

    private static final int MOST_LINES = 100;

    /**
     * All runs of a folder, oldest first.
     *
     * @param format that the records must have
     * @param refused gets a line for each file that is no record
     * @throws IOException when the folder cannot be read
     */
    static List<RecordedRun> read(Path folder, int format, List<String> refused) throws IOException {
        List<RecordedRun> runs = new ArrayList<>();
        for (Path file : files(folder)) {
            String name = Printable.text(file.getFileName().toString());
            try {
                if (Files.size(file) > LARGEST) {
                    refused.add(name + " is larger than any record");
                    continue;
                }
                RecordedRun run = new RecordedRun(
                        name, JsonParser.parseString(Files.readString(file)).getAsJsonObject());
                if (run.json().get("format").getAsInt() != format) {
                    refused.add("%s has format %s, this version reads %d"
                            .formatted(
                                    name,
                                    Printable.text(run.json().get("format").toString()),
                                    format));
                } else if (run.text("kind").isEmpty() || run.text("date").isEmpty()) {
                    refused.add(name + " is no record: it has no kind or no date");
                } else {
                    Optional<String> odd = RecordedNumbers.odd(run);
                    odd.ifPresentOrElse(what -> refused.add(name + " has " + what), () -> runs.add(run));
                }
            } catch (IOException | RuntimeException damaged) {
                refused.add(name + " is no record");
            }
        }
        runs.sort(Comparator.comparing(run -> run.text("date")));
        return runs;
    }

    /** What is read of a folder, in order. */
    static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(file -> file.toString().endsWith(".json"))
                    .sorted()
                    .toList();
        }
    }

    /** A text; empty when it is missing. */
    String text(String key) {
        return text(json, key);
    }

    static String text(JsonObject object, String key) {
        JsonElement value = object.get(key);
        return value != null && value.isJsonPrimitive() ? Printable.text(value.getAsString(), LONGEST_TEXT) : "";
    }

    /** The lines of a text. */
    List<String> lines(String key) {
        JsonElement value = json.get(key);
        return value == null || !value.isJsonPrimitive()
                ? List.of()
                : value.getAsString()
                        .lines()
                        .limit(MOST_LINES)
                        .map(line -> Printable.text(line, LONGEST_TEXT))
                        .toList();
    }

    static OptionalDouble number(JsonObject object, String key) {
        JsonElement value = object.get(key);
        return value != null
                        && value.isJsonPrimitive()
                        && value.getAsJsonPrimitive().isNumber()
                ? OptionalDouble.of(value.getAsDouble())
                : OptionalDouble.empty();
    }

    /** Objects of an array; none when it is missing. */
    List<JsonObject> objects(String key) {
        JsonElement value = json.get(key);
        if (value == null || !value.isJsonArray()) {
            return List.of();
        }
        JsonArray array = value.getAsJsonArray();
        return StreamSupport.stream(array.spliterator(), false)
                .filter(JsonElement::isJsonObject)
                .map(JsonElement::getAsJsonObject)
                .toList();
    }

    JsonObject object(String key) {
        JsonElement value = json.get(key);
        return value != null && value.isJsonObject() ? value.getAsJsonObject() : new JsonObject();
    }

    /** What it shows, in the words of who recorded it; else its file. */
    String title() {
        return text("note").isEmpty() ? file : text("note");
    }

    boolean is(String kind) {
        return text("kind").equals(kind);
    }

    int devices() {
        return (int) number(json, "devices").orElse(1);
    }

    /** When, as people write it; as recorded where that is no time. */
    String time() {
        return when("d MMMM uuuu, HH:mm 'UTC'");
    }

    String day() {
        return when("d MMMM uuuu");
    }

    private String when(String pattern) {
        try {
            return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH)
                    .format(Instant.parse(text("date")).atOffset(ZoneOffset.UTC));
        } catch (DateTimeException other) {
            return text("date");
        }
    }

    String precision() {
        return text(object("options"), "precision");
    }

    /** A measurement's median in milliseconds; empty where it is missing or no time. */
    OptionalDouble milliseconds(String name) {
        return objects("measurements").stream()
                .filter(one -> text(one, "name").equals(name))
                .map(one -> number(one, "ms"))
                .filter(ms -> ms.orElse(0) > 0)
                .findFirst()
                .orElse(OptionalDouble.empty());
    }

    /** Model, picture and batch: runs of one workload can be compared. */
    String workload() {
        JsonObject options = object("options");
        String size = text(options, "image_size");
        String batch = text(options, "batch");
        return Stream.of(
                        text(options, "model"),
                        size.isEmpty() ? "" : size + " x " + size,
                        batch.isEmpty() ? "" : "batch of " + batch)
                .filter(part -> !part.isEmpty())
                .collect(Collectors.joining(", "));
    }

    /** Device, how many, and the software, in one line. */
    String conditions() {
        StringBuilder line = new StringBuilder();
        line.append(devices() > 1 ? devices() + " x " : "").append(text("device"));
        append(line, "driver ", text("driver"));
        append(line, "TornadoVM ", text("tornadovm"));
        append(line, "PyTorch ", text("pytorch"));
        append(line, "Java ", text("java"));
        append(line, "tornado-dit ", text("project"));
        append(line, "", time());
        return line.toString();
    }

    private static void append(StringBuilder line, String name, String value) {
        if (!value.isEmpty()) {
            line.append(", ").append(name).append(value);
        }
    }
}
