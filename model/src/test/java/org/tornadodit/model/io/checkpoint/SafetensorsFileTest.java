package org.tornadodit.model.io.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.SafetensorsWriter;
import org.tornadodit.model.io.TestFiles;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.tensor.StoredTensor;

class SafetensorsFileTest {

    private static final Path FILE = Path.of("x.safetensors");

    @TempDir
    Path folder;

    @Test
    void readsFloat32InPlaceInTheOrderOfTheHeader() throws IOException {
        Path file = folder.resolve("a.safetensors");
        Files.write(
                file,
                new SafetensorsWriter()
                        .count("z", Shape.of(2, 3), 1)
                        .count("scalar", Shape.of(), 7)
                        .count("empty", Shape.of(0, 4), 0)
                        .count("a", Shape.of(2), 10)
                        .end());
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            assertEquals(List.of("z", "scalar", "empty", "a"), List.copyOf(checkpoint.names()));
            assertEquals(Shape.of(2, 3), checkpoint.shape("z"));
            assertArrayEquals(
                    new float[] {1, 2, 3, 4, 5, 6}, checkpoint.tensor("z").toArray());
            assertArrayEquals(new float[] {7}, checkpoint.tensor("scalar").toArray());
            assertArrayEquals(new float[] {10, 11}, checkpoint.tensor("a").toArray());
            assertTrue(checkpoint.tensor("z").data().isMapped());
            String missing = TestFiles.refusal(() -> checkpoint.tensor("b"));
            assertTrue(missing.contains("tensor b"), missing);
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void convertsEveryType(String dtype, int bytes, float[] expected, ByteBuffer data) {
        String header = "{\"w\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%d]}}"
                .formatted(dtype, expected.length, expected.length * bytes);
        Map<String, StoredTensor> tensors =
                SafetensorsFile.parse(FILE, MemorySegment.ofArray(SafetensorsWriter.file(header, data.array())));
        float[] values = new float[expected.length];
        tensors.values().iterator().next().copyTo(MemorySegment.ofArray(values));
        assertArrayEquals(expected, values);
    }

    static Stream<Arguments> types() {
        return Stream.of(
                Arguments.of(
                        "F64",
                        8,
                        new float[] {0.1f, -2},
                        buffer(16).putDouble(0.1).putDouble(-2)),
                Arguments.of(
                        "F32",
                        4,
                        new float[] {0.1f, -0f},
                        buffer(8).putFloat(0.1f).putFloat(-0f)),
                // 1, the smallest subnormal, the largest, infinity
                Arguments.of(
                        "F16",
                        2,
                        new float[] {1, 0x1p-24f, 65504, Float.POSITIVE_INFINITY},
                        shorts(0x3c00, 0x0001, 0x7bff, 0x7c00)),
                Arguments.of("BF16", 2, new float[] {1, -3.140625f, 0x1p-133f}, shorts(0x3f80, 0xc049, 0x0001)),
                Arguments.of(
                        "I64",
                        8,
                        new float[] {-5, 0x1p62f},
                        buffer(16).putLong(-5).putLong(1L << 62)),
                Arguments.of(
                        "U64",
                        8,
                        new float[] {5, 0x1p63f},
                        buffer(16).putLong(5).putLong(1L << 63)),
                Arguments.of("I32", 4, new float[] {-5}, buffer(4).putInt(-5)),
                Arguments.of("U32", 4, new float[] {0x1p31f}, buffer(4).putInt(1 << 31)),
                Arguments.of("I16", 2, new float[] {-1}, shorts(0xffff)),
                Arguments.of("U16", 2, new float[] {65535}, shorts(0xffff)),
                Arguments.of(
                        "I8", 1, new float[] {-1, 2}, buffer(2).put((byte) -1).put((byte) 2)),
                Arguments.of(
                        "U8", 1, new float[] {255, 2}, buffer(2).put((byte) -1).put((byte) 2)),
                Arguments.of(
                        "BOOL", 1, new float[] {1, 0}, buffer(2).put((byte) 1).put((byte) 0)));
    }

    /** More elements than are converted at once, and a rest. */
    @ParameterizedTest
    @ValueSource(strings = {"F16", "BF16", "I16"})
    void convertsManyElements(String dtype) {
        int count = 20_001;
        ByteBuffer data = buffer(count * 2);
        float[] expected = new float[count];
        for (int i = 0; i < count; i++) {
            short bits = (short) (i * 3);
            data.putShort(bits);
            expected[i] = switch (dtype) {
                case "F16" -> Float.float16ToFloat(bits);
                case "BF16" -> Float.intBitsToFloat(bits << 16);
                default -> bits;
            };
        }
        String header =
                "{\"w\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%d]}}".formatted(dtype, count, count * 2);
        float[] values = new float[count];
        SafetensorsFile.parse(FILE, MemorySegment.ofArray(SafetensorsWriter.file(header, data.array())))
                .values()
                .forEach(tensor -> tensor.copyTo(MemorySegment.ofArray(values)));
        assertArrayEquals(expected, values);
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer shorts(int... values) {
        ByteBuffer buffer = buffer(values.length * 2);
        for (int value : values) {
            buffer.putShort((short) value);
        }
        return buffer;
    }

    static Stream<Arguments> hostile() {
        byte[] huge = buffer(20)
                .putLong(1L << 60)
                .put("{}".getBytes(StandardCharsets.UTF_8))
                .array();
        byte[] negative = buffer(20).putLong(-1).array();
        byte[] cut = buffer(20).putLong(13).array();
        return Stream.of(
                Arguments.of("at most 33554432 bytes, found 1152921504606846976 bytes", huge),
                Arguments.of("found 18446744073709551615 bytes", negative),
                Arguments.of("expected 13 bytes, found 12 (truncated file?)", cut),
                Arguments.of("at least 8 bytes, found 3", new byte[3]),
                Arguments.of("expected tensors, found none", SafetensorsWriter.file("{}")),
                Arguments.of("JSON object", SafetensorsWriter.file("[]")),
                Arguments.of("JSON object", SafetensorsWriter.file("{\"w\":")),
                Arguments.of("JSON object", SafetensorsWriter.file("{}{}")),
                Arguments.of("JSON object", SafetensorsWriter.file("{\"w\":" + "[".repeat(100_000))),
                Arguments.of("JSON object", SafetensorsWriter.file("{\"__metadata__\":" + "[".repeat(100_000))),
                Arguments.of("JSON object", SafetensorsWriter.file("")),
                header("an overlap from byte 4", "F32", "[2]", "[0,8]", "F32", "[2]", "[4,12]", 12),
                header("an overlap from byte 0", "F32", "[2]", "[0,8]", "F32", "[2]", "[0,8]", 8),
                header("a hole up to byte 12", "F32", "[2]", "[0,8]", "F32", "[2]", "[12,20]", 20),
                header("data up to byte 16, found 12 bytes", "F32", "[2]", "[0,8]", "F32", "[2]", "[8,16]", 12),
                header(
                        "safetensors data: expected 16 bytes, found 17",
                        "F32",
                        "[2]",
                        "[0,8]",
                        "F32",
                        "[2]",
                        "[8,16]",
                        17),
                header("the bytes of F32 of shape (3)", "F32", "[3]", "[0,8]", "F32", "[2]", "[8,16]", 16),
                header("the bytes of F32 of shape (2)", "F32", "[2]", "[0,9]", "F32", "[2]", "[9,17]", 17),
                header("found F8_E4M3", "F8_E4M3", "[2]", "[0,2]", "F32", "[2]", "[2,10]", 10),
                header("negative size", "F32", "[-2]", "[0,8]", "F32", "[2]", "[8,16]", 16),
                header("2^63", "F32", "[4294967296,4294967296]", "[0,8]", "F32", "[2]", "[8,16]", 16),
                header("the bytes of F32", "F32", "[4611686018427387906]", "[0,8]", "F32", "[2]", "[8,16]", 16),
                header("ascending", "F32", "[2]", "[8,0]", "F32", "[2]", "[0,8]", 8),
                header("ascending", "F32", "[2]", "[-8,0]", "F32", "[2]", "[0,8]", 8),
                header("two data_offsets", "F32", "[2]", "[0]", "F32", "[2]", "[0,8]", 8),
                header("at most 32 integers", "F32", "[" + "1,".repeat(40) + "1]", "[0,4]", "F32", "[2]", "[4,12]", 12),
                header("at most 32 integers", "F32", "[\"2\"]", "[0,8]", "F32", "[2]", "[8,16]", 16),
                header("JSON object", "F32", "[2.5]", "[0,8]", "F32", "[2]", "[8,16]", 16),
                Arguments.of(
                        "two keys a",
                        SafetensorsWriter.file(
                                "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                                        + "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
                                new byte[2])),
                Arguments.of("found extra", SafetensorsWriter.file("{\"a\":{\"dtype\":\"U8\",\"extra\":1}}")),
                Arguments.of(
                        "not all of them",
                        SafetensorsWriter.file("{\"a\\n\\u001b[31m\":{\"dtype\":\"U8\",\"shape\":[1]}}")));
    }

    private static Arguments header(
            String expected, String t0, String s0, String o0, String t1, String s1, String o1, int dataSize) {
        String entry = "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}";
        String header = "{" + entry.formatted("a", t0, s0, o0) + "," + entry.formatted("b", t1, s1, o1) + "}";
        return Arguments.of(expected, SafetensorsWriter.file(header, new byte[dataSize]));
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void refuses(String expected, byte[] content) {
        String message = TestFiles.refusal(() -> SafetensorsFile.parse(FILE, MemorySegment.ofArray(content)));
        assertTrue(message.contains(expected), message);
    }

    @Test
    void refusesEveryTruncationAndSurvivesChangedBytes() {
        byte[] whole = new SafetensorsWriter()
                .count("a", Shape.of(2, 3), 1)
                .count("b", Shape.of(4), 1)
                .end();
        for (int length = 0; length < whole.length; length++) {
            MemorySegment cut = MemorySegment.ofArray(whole).asSlice(0, length);
            assertThrows(CheckpointException.class, () -> SafetensorsFile.parse(FILE, cut), "length " + length);
        }
        long seed = 20_261_122;
        Random random = new Random(seed);
        int refused = 0;
        for (int trial = 0; trial < 4_000; trial++) {
            byte[] changed = whole.clone();
            for (int i = 0; i <= trial % 3; i++) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
            }
            try {
                SafetensorsFile.parse(FILE, MemorySegment.ofArray(changed));
            } catch (CheckpointException expected) {
                refused++;
            } catch (RuntimeException escaped) {
                throw new AssertionError("seed " + seed + ", trial " + trial, escaped);
            }
        }
        assertTrue(refused > 200, "only " + refused + " refused: seed " + seed);
    }
}
