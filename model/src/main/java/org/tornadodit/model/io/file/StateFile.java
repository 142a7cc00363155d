package org.tornadodit.model.io.file;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;

/**
 * The state of a run that was stopped: float32 tensors of one shape, {@code latents} and the sampler's {@code history.0},
 * {@code history.1} and so on, and facts as text, in a safetensors file whose metadata holds the facts and a SHA-256 of
 * everything. Written atomically; read without trust: sizes are bounded
 * before anything is allocated, and nothing but text and numbers is understood.
 *
 * @param facts what the run was, by name
 * @param shape of each array
 * @param arrays row major: the latents, then the history
 */
public record StateFile(Map<String, String> facts, Shape shape, List<float[]> arrays) {

    /** Tells this program's states from other safetensors files; without a history, */
    private static final String FORMAT = "tornado-dit state 1";
    /** and with one. */
    private static final String FORMAT_WITH_HISTORY = "tornado-dit state 2";

    private static final String FORMAT_KEY = "format";
    private static final String DIGEST_KEY = "sha256";
    private static final int MOST_ARRAYS = 16;
    private static final int LARGEST_HEADER = 1 << 20;
    private static final int MOST_FACTS = 100;

    public StateFile {
        facts = Map.copyOf(facts);
        arrays = List.copyOf(arrays);
        if (arrays.isEmpty() || arrays.size() > MOST_ARRAYS) {
            throw new IllegalArgumentException(arrays.size() + " arrays, expected 1 to " + MOST_ARRAYS);
        }
        for (float[] array : arrays) {
            if (shape.elements() != array.length) {
                throw new IllegalArgumentException(array.length + " elements for shape " + shape);
            }
        }
    }

    private static String name(int array) {
        return array == 0 ? "latents" : "history." + (array - 1);
    }

    private static String format(int arrays) {
        return arrays == 1 ? FORMAT : FORMAT_WITH_HISTORY;
    }

    private static boolean isFormat(@Nullable String format) {
        return FORMAT.equals(format) || FORMAT_WITH_HISTORY.equals(format);
    }

    /** Replaces the file as a whole, or leaves it as it was. */
    public void write(Path file) throws IOException {
        byte[] data = bytes(arrays);
        JsonObject metadata = new JsonObject();
        new TreeMap<>(facts).forEach(metadata::addProperty);
        metadata.addProperty(FORMAT_KEY, format(arrays.size()));
        metadata.addProperty(DIGEST_KEY, digest(facts, shape, data));
        JsonObject header = new JsonObject();
        header.add("__metadata__", metadata);
        for (int i = 0; i < arrays.size(); i++) {
            JsonObject tensor = new JsonObject();
            tensor.addProperty("dtype", "F32");
            tensor.add("shape", array(sizes(shape)));
            tensor.add("data_offsets", array(offsets(shape, i)));
            header.add(name(i), tensor);
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        byte[] length = ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .array();
        AtomicFile.write(file, out -> {
            out.write(length);
            out.write(json);
            out.write(data);
        });
    }

    private record Tensor(Shape shape, List<Long> offsets) {}

    /** A header's contents. */
    private record Header(Map<String, String> metadata, Map<String, Tensor> tensors) {}

    /** Where an array's bytes are. */
    private static List<Long> offsets(Shape shape, int array) {
        long size = Float.BYTES * shape.elements();
        return List.of(array * size, (array + 1) * size);
    }

    /**
     * Reads a state.
     *
     * @param check looks at the facts before the latents are read, and throws where they do not fit
     * @param expected each array's shape
     * @param count of arrays, with the latents
     * @throws CheckpointException when the file is missing, damaged, or no state of this program
     */
    public static StateFile read(Path file, Consumer<Map<String, String>> check, Shape expected, int count) {
        MappedFile.requireFile(file);
        try (InputStream in = Files.newInputStream(file)) {
            return read(file, in, check, expected, count);
        } catch (IOException e) {
            throw MappedFile.unreadable(file, e);
        }
    }

    /** {@link #read(Path, Consumer, Shape, int)} of a stream; {@code file} is for messages. */
    static StateFile read(Path file, InputStream stream, Consumer<Map<String, String>> check, Shape expected, int count)
            throws IOException {
        DataInputStream in = new DataInputStream(stream);
        try {
            long length = Long.reverseBytes(in.readLong());
            if (length < 2 || length > LARGEST_HEADER) {
                throw noState(file);
            }
            byte[] json = in.readNBytes((int) length);
            Header header = header(file, json);
            Map<String, String> facts = new TreeMap<>(header.metadata());
            String format = facts.remove(FORMAT_KEY);
            if (!isFormat(format)) {
                throw noState(file);
            }
            String digest = String.valueOf(facts.remove(DIGEST_KEY));
            check.accept(facts);
            if (header.tensors().size() != count || !format(count).equals(format)) {
                throw Refusal.of(
                        file, "the state", count + " tensors", header.tensors().size() + " tensors");
            }
            for (int i = 0; i < count; i++) {
                Tensor tensor = header.tensors().get(name(i));
                Shape shape = tensor == null ? Shape.of() : tensor.shape();
                if (tensor == null
                        || !shape.equals(expected)
                        || !tensor.offsets().equals(offsets(expected, i))) {
                    throw Refusal.of(file, Refusal.tensor(name(i)), "shape " + expected, "shape " + shape);
                }
            }
            long size = Float.BYTES * count * expected.elements();
            byte[] data = in.readNBytes(Math.toIntExact(size));
            if (data.length < size || in.read() >= 0) {
                throw Refusal.of(file, "size of the latents", size + " bytes", data.length < size ? "fewer" : "more");
            }
            if (!digest.equals(digest(facts, expected, data))) {
                throw Refusal.of(file, "the state is damaged: its SHA-256 is not the one noted in it");
            }
            FloatBuffer values =
                    ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
            List<float[]> arrays = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                float[] array = new float[Math.toIntExact(expected.elements())];
                values.get(array);
                arrays.add(array);
            }
            return new StateFile(facts, expected, arrays);
        } catch (EOFException e) {
            throw noState(file);
        }
    }

    /** Whether a file says of itself that it is a state of this program; a damaged one may say so too. */
    public static boolean isState(Path file) {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
            long length = Long.reverseBytes(in.readLong());
            if (length < 2 || length > LARGEST_HEADER) {
                return false;
            }
            return isFormat(header(file, in.readNBytes((int) length)).metadata().get(FORMAT_KEY));
        } catch (IOException | CheckpointException other) {
            return false;
        }
    }

    private static CheckpointException noState(Path file) {
        return Refusal.of(file, "this is no state that --checkpoint-steps has written");
    }

    private static Header header(Path file, byte[] json) {
        try (JsonReader reader = StrictJson.reader(json)) {
            Map<String, String> metadata = new TreeMap<>();
            Map<String, Tensor> tensors = new TreeMap<>();
            reader.beginObject();
            while (reader.hasNext()) {
                String key = reader.nextName();
                switch (key) {
                    case "__metadata__" -> {
                        reader.beginObject();
                        while (reader.hasNext()) {
                            String name = reader.nextName();
                            if (reader.peek() != JsonToken.STRING
                                    || metadata.put(name, reader.nextString()) != null
                                    || metadata.size() > MOST_FACTS) {
                                throw noState(file);
                            }
                        }
                        reader.endObject();
                    }
                    default -> {
                        if (tensors.put(key, tensor(file, reader)) != null || tensors.size() > MOST_ARRAYS) {
                            throw noState(file);
                        }
                    }
                }
            }
            reader.endObject();
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw noState(file);
            }
            return new Header(metadata, tensors);
        } catch (IOException | IllegalStateException | IllegalArgumentException | JsonParseException malformed) {
            throw Refusal.of(file, "this is no state that --checkpoint-steps has written", malformed);
        }
    }

    private static Tensor tensor(Path file, JsonReader reader) throws IOException {
        List<Long> shape = List.of();
        List<Long> offsets = List.of();
        reader.beginObject();
        while (reader.hasNext()) {
            switch (reader.nextName()) {
                case "dtype" -> {
                    if (!reader.nextString().equals("F32")) {
                        throw noState(file);
                    }
                }
                case "shape" -> shape = integers(file, reader);
                case "data_offsets" -> offsets = integers(file, reader);
                default -> throw noState(file);
            }
        }
        reader.endObject();
        return new Tensor(new Shape(shape), offsets);
    }

    private static List<Long> integers(Path file, JsonReader reader) throws IOException {
        List<Long> integers = new ArrayList<>();
        reader.beginArray();
        while (reader.hasNext()) {
            if (reader.peek() != JsonToken.NUMBER || integers.size() == 8) {
                throw noState(file);
            }
            integers.add(reader.nextLong());
        }
        reader.endArray();
        return integers;
    }

    private static String digest(Map<String, String> facts, Shape shape, byte[] data) {
        MessageDigest sha = Sha256.digest();
        new TreeMap<>(facts).forEach((name, value) -> {
            sha.update((name + "\0" + value + "\0").getBytes(StandardCharsets.UTF_8));
        });
        sha.update(shape.toString().getBytes(StandardCharsets.UTF_8));
        sha.update(data);
        return HexFormat.of().formatHex(sha.digest());
    }

    private static byte[] bytes(List<float[]> arrays) {
        int values = Math.multiplyExact(arrays.getFirst().length, arrays.size());
        ByteBuffer buffer =
                ByteBuffer.allocate(Math.multiplyExact(values, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        FloatBuffer floats = buffer.asFloatBuffer();
        arrays.forEach(floats::put);
        return buffer.array();
    }

    private static List<Long> sizes(Shape shape) {
        List<Long> sizes = new ArrayList<>();
        for (int i = 0; i < shape.rank(); i++) {
            sizes.add(shape.dim(i));
        }
        return sizes;
    }

    private static JsonArray array(List<Long> values) {
        JsonArray array = new JsonArray();
        values.forEach(array::add);
        return array;
    }
}
