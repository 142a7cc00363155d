package org.tornadodit.model.io.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.stream.JsonReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.io.checkpoint.SafetensorsFile;
import org.tornadodit.model.io.checkpoint.ShardedWeights;

class StrictJsonTest {

    private static final Path FILE = Path.of("file");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"a\": 1, \"a\": 1}",
                "{\"a\": 1, \"\\u0061\": 2}",
                "{\"b\": [{\"a\": 1, \"a\": 2}]}",
                "{\"a\": {\"b\": {}, \"b\": {}}}",
                "{\"a\": 1} {}",
                "{\"a\": 1"
            })
    void refuses(String json) {
        assertThrows(IOException.class, () -> StrictJson.reader(bytes(json)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"a\": {\"a\": 1}, \"b\": [{\"a\": 1}, {\"a\": 2}]}", "{} ", "[[], [1, \"a\", null]]"})
    void readsFromTheStart(String json) throws IOException {
        try (JsonReader reader = StrictJson.reader(bytes(json))) {
            assertEquals("$", reader.getPath());
            reader.skipValue();
        }
    }

    @Test
    void doesNotMakeStringsOfLongKeys() {
        byte[] json = bytes("{\"" + "x".repeat(8 << 20) + "\" : 1}");
        long before = allocated();
        IOException refused = assertThrows(IOException.class, () -> StrictJson.reader(json));
        assertTrue(allocated() - before < 1 << 20);
        assertTrue(String.valueOf(refused.getMessage()).contains("a key of 8388609 bytes"));
    }

    @Test
    void everyReaderUsesIt() {
        String twice = "{\"a\": 1, \"a\": 2}";
        refusal(() -> JsonConfig.parse(FILE, bytes(twice)));
        refusal(() -> ShardedWeights.weightMap(
                FILE, bytes("{\"weight_map\": {\"a\": \"f\"}, \"weight_map\": {\"b\": \"f\"}}")));
        String tensor = "{\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}";
        byte[] header = bytes("{\"__metadata__\": " + twice + ", \"a\": " + tensor + "}");
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(header.length).put(header);
        refusal(() -> SafetensorsFile.parse(FILE, MemorySegment.ofArray(file.array())));
        byte[] dtypes = bytes("{\"a\": " + tensor.replace("{", "{\"dtype\": \"F16\", ") + "}");
        ByteBuffer two = ByteBuffer.allocate(8 + dtypes.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        two.putLong(dtypes.length).put(dtypes);
        refusal(() -> SafetensorsFile.parse(FILE, MemorySegment.ofArray(two.array())));
    }

    private static void refusal(Runnable read) {
        String message = String.valueOf(
                assertThrows(CheckpointException.class, read::run).getMessage());
        assertTrue(message.contains("two keys"), message);
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean())
                .getCurrentThreadAllocatedBytes();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
