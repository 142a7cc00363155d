package org.tornadodit.model.io.checkpoint;

import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.MappedFiles;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.file.StrictJson;
import org.tornadodit.model.io.tensor.DType;
import org.tornadodit.model.io.tensor.StoredTensor;

/**
 * The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes. As the format asks, each
 * byte of the data belongs to exactly one tensor: no overlap, no hole, nothing left over.
 */
public final class SafetensorsFile {

    /** Enough for {@link #MOST_TENSORS}; a third of what the safetensors library allows. */
    static final long LARGEST_HEADER = 32 << 20;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MOST_TENSORS = 100_000;
    private static final int MOST_DIMENSIONS = 32;

    /** A header's entry; {@code begin} and {@code end} count from the first byte after the header. */
    private record Declared(String name, DType dtype, Shape shape, long begin, long end) {}

    private final Path file;

    private SafetensorsFile(Path file) {
        this.file = file;
    }

    /**
     * The tensors of a file, in the order of its header.
     *
     * @param files holds the mapping
     * @throws CheckpointException when the file is not sound
     */
    static Map<String, StoredTensor> read(Path file, MappedFiles files) {
        return parse(file, files.map(file));
    }

    /** {@link #read} of bytes that are in memory already. */
    public static Map<String, StoredTensor> parse(Path file, MemorySegment content) {
        return new SafetensorsFile(file).tensors(content);
    }

    private Map<String, StoredTensor> tensors(MemorySegment content) {
        long size = content.byteSize();
        if (size < Long.BYTES) {
            throw Refusal.of(file, "safetensors file", "at least 8 bytes", size + " bytes");
        }
        long headerSize = content.get(LONG, 0);
        if (headerSize < 0 || headerSize > LARGEST_HEADER) {
            throw Refusal.of(
                    file,
                    "safetensors header",
                    "at most " + LARGEST_HEADER + " bytes",
                    Long.toUnsignedString(headerSize) + " bytes");
        }
        if (headerSize > size - Long.BYTES) {
            throw Refusal.of(
                    file, "safetensors header", headerSize + " bytes", size - Long.BYTES + " (truncated file?)");
        }
        MemorySegment data = content.asSlice(Long.BYTES + headerSize);
        List<Declared> header = header(content.asSlice(Long.BYTES, headerSize).toArray(ValueLayout.JAVA_BYTE));
        requireSeamless(header, data.byteSize());
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (Declared declared : header) {
            MemorySegment bytes = data.asSlice(declared.begin(), declared.end() - declared.begin());
            tensors.put(declared.name(), StoredTensor.contiguous(declared.dtype(), declared.shape(), bytes));
        }
        return tensors;
    }

    private void requireSeamless(List<Declared> header, long dataSize) {
        List<Declared> byOffset = new ArrayList<>(header);
        byOffset.sort(Comparator.comparingLong(Declared::begin).thenComparingLong(Declared::end));
        long covered = 0;
        for (Declared declared : byOffset) {
            if (declared.begin() != covered) {
                throw Refusal.of(
                        file,
                        Refusal.tensor(declared.name()),
                        "data from byte " + covered + " on",
                        (declared.begin() < covered ? "an overlap from byte " : "a hole up to byte ")
                                + declared.begin());
            }
            if (declared.end() > dataSize) {
                throw Refusal.of(
                        file,
                        Refusal.tensor(declared.name()),
                        "data up to byte " + declared.end(),
                        dataSize + " bytes (truncated file?)");
            }
            covered = declared.end();
        }
        if (covered != dataSize) {
            throw Refusal.of(file, "safetensors data", covered + " bytes", dataSize + " bytes");
        }
    }

    private List<Declared> header(byte[] json) {
        List<Declared> header = new ArrayList<>();
        try (JsonReader reader = StrictJson.reader(json)) {
            reader.beginObject();
            while (reader.hasNext()) {
                String name = reader.nextName();
                if (name.equals("__metadata__")) {
                    reader.skipValue();
                } else {
                    header.add(declared(name, reader));
                }
                if (header.size() > MOST_TENSORS) {
                    throw Refusal.of(file, "safetensors header", "at most " + MOST_TENSORS + " tensors", "more");
                }
            }
            reader.endObject();
        } catch (IOException | IllegalStateException | JsonParseException | NumberFormatException malformed) {
            throw Refusal.of(
                    file,
                    "safetensors header: expected a JSON object of dtype, shape and data_offsets, found "
                            + Refusal.json(malformed),
                    malformed);
        }
        if (header.isEmpty()) {
            throw Refusal.of(file, "safetensors header", "tensors", "none");
        }
        return header;
    }

    private Declared declared(String name, JsonReader reader) throws IOException {
        @Nullable DType dtype = null;
        @Nullable Shape shape = null;
        @Nullable List<Long> offsets = null;
        reader.beginObject();
        while (reader.hasNext()) {
            String key = reader.nextName();
            switch (key) {
                case "dtype" -> {
                    String type = reader.nextString();
                    dtype = DType.ofSafetensors(type)
                            .orElseThrow(() -> Refusal.of(
                                    file, Refusal.tensor(name), "dtype of " + DType.list(), Refusal.printable(type)));
                }
                case "shape" -> shape = shape(name, integers(name, reader));
                case "data_offsets" -> offsets = integers(name, reader);
                default ->
                    throw Refusal.of(
                            file, Refusal.tensor(name), "dtype, shape and data_offsets", Refusal.printable(key));
            }
        }
        reader.endObject();
        if (dtype == null || shape == null || offsets == null || offsets.size() != 2) {
            throw Refusal.of(file, Refusal.tensor(name), "dtype, shape and two data_offsets", "not all of them");
        }
        long begin = offsets.get(0);
        long end = offsets.get(1);
        if (begin < 0 || end < begin) {
            throw Refusal.of(file, Refusal.tensor(name), "ascending data_offsets", offsets.toString());
        }
        if ((end - begin) % dtype.bytes() != 0 || (end - begin) / dtype.bytes() != shape.elements()) {
            throw Refusal.of(
                    file,
                    Refusal.tensor(name),
                    "the bytes of %s of shape %s".formatted(dtype, shape),
                    end - begin + " bytes");
        }
        return new Declared(name, dtype, shape, begin, end);
    }

    private Shape shape(String name, List<Long> sizes) {
        try {
            return new Shape(sizes);
        } catch (IllegalArgumentException wrong) {
            throw Refusal.of(file, Refusal.tensor(name) + ": " + wrong.getMessage(), wrong);
        }
    }

    private List<Long> integers(String name, JsonReader reader) throws IOException {
        List<Long> integers = new ArrayList<>();
        reader.beginArray();
        while (reader.hasNext()) {
            if (reader.peek() != JsonToken.NUMBER || integers.size() == MOST_DIMENSIONS) {
                throw Refusal.of(
                        file,
                        Refusal.tensor(name),
                        "at most " + MOST_DIMENSIONS + " integers",
                        "more, or something else");
            }
            integers.add(reader.nextLong());
        }
        reader.endArray();
        return integers;
    }
}
