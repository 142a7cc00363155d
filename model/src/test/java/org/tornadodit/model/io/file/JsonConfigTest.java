package org.tornadodit.model.io.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.io.TestFiles;

class JsonConfigTest {

    @TempDir
    Path folder;

    @Test
    void readsTypedValues() throws IOException {
        JsonConfig config = config("""
            {"depth": 28, "ratio": 4.0, "learn_sigma": true, "name": "DiT", "channels": [128, 256], "types": ["a"],
             "none": null}
            """);
        assertEquals(28, config.integer("depth"));
        assertEquals(4, config.integer("ratio"));
        assertEquals(4.0, config.number("ratio"));
        assertTrue(config.flag("learn_sigma"));
        assertEquals("DiT", config.text("name"));
        assertEquals(List.of(128, 256), config.integers("channels"));
        assertEquals(List.of("a"), config.texts("types"));
        assertFalse(config.has("none"));
        assertEquals(7, config.integer("none", 7));
        assertEquals(0.5, config.number("missing", 0.5));
        assertEquals("x", config.text("missing", "x"));
        assertTrue(config.flag("missing", true));
        assertEquals(28, config.integer("depth", 7));
    }

    @Test
    void namesFileKeyExpectedAndFound() throws IOException {
        JsonConfig config = config(
                "{\"a\": \"28\", \"b\": 1.5, \"c\": 1e999999999, \"d\": [1, \"x\"], \"e\": {}, \"f\": 3000000000}");
        Path file = folder.resolve("config.json");
        assertRefused(file + ": a: expected an integer, found \"28\"", () -> config.integer("a"));
        assertRefused(file + ": b: expected an integer, found 1.5", () -> config.integer("b"));
        assertRefused(file + ": c: expected an integer, found 1e999999999", () -> config.integer("c"));
        assertRefused(file + ": c: expected a number, found 1e999999999", () -> config.number("c"));
        assertRefused(file + ": d: expected a list of integers, found [1,\"x\"]", () -> config.integers("d"));
        assertRefused(file + ": e: expected true or false, found {}", () -> config.flag("e"));
        assertRefused(file + ": f: expected an integer, found 3000000000", () -> config.integer("f"));
        assertRefused(file + ": g: expected a string, found no such key", () -> config.text("g"));
        assertRefused(file + ": b: expected a power of two, found 1.5", () -> {
            throw config.refuse("b", "a power of two");
        });
    }

    @Test
    void refusesWhatIsNotAnObject() throws IOException {
        Path file = folder.resolve("config.json");
        assertRefused(file + ": no such file", () -> JsonConfig.read(folder));
        assertRefused("expected one object", () -> config("[]"));
        assertRefused("expected JSON, found", () -> config("{"));
        assertRefused("expected JSON, found", () -> config("{} {}"));
        assertRefused("Nesting limit", () -> config("{\"a\":" + "[".repeat(100_000)));
        assertRefused("expected at most 1048576 bytes, found more", () -> config(" ".repeat(1 << 21)));
    }

    private static void assertRefused(String expected, Executable reading) {
        String message = TestFiles.refusal(reading);
        assertTrue(message.contains(expected), message);
    }

    private JsonConfig config(String json) throws IOException {
        Files.writeString(folder.resolve("config.json"), json);
        return JsonConfig.read(folder);
    }
}
