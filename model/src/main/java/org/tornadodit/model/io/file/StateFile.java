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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.tornadodit.model.Shape;

/**
 * The state of a run that was stopped: one float32 tensor, {@code latents}, and facts as text, in a safetensors file
 * whose metadata holds the facts and a SHA-256 of everything. Written atomically; read without trust: sizes are bounded
 * before anything is allocated, and nothing but text and numbers is understood.
 *
 * @param facts what the run was, by name
 * @param shape of the latents
 * @param latents row major
 */
public record StateFile(Map<String, String> facts, Shape shape, float[] latents) {

    /** Tells this program's states from other safetensors files. */
    private static final String FORMAT = "tornado-dit state 1";

    private static final String FORMAT_KEY = "format";
    private static final String DIGEST_KEY = "sha256";
    private static final String TENSOR = "latents";
    private static final int LARGEST_HEADER = 1 << 20;
    private static final int MOST_FACTS = 100;

    public StateFile {
        facts = Map.copyOf(facts);
        if (shape.elements() != latents.length) {
            throw new IllegalArgumentException(latents.length + " latents for shape " + shape);
        }
    }

    /** Replaces the file as a whole, or leaves it as it was. */
    public void write(Path file) throws IOException {
        byte[] data = bytes(latents);
        JsonObject metadata = new JsonObject();
        new TreeMap<>(facts).forEach(metadata::addProperty);
        metadata.addProperty(FORMAT_KEY, FORMAT);
        metadata.addProperty(DIGEST_KEY, digest(facts, shape, data));
        JsonObject tensor = new JsonObject();
        tensor.addProperty("dtype", "F32");
        tensor.add("shape", array(sizes(shape)));
        tensor.add("data_offsets", array(List.of(0L, (long) data.length)));
        JsonObject header = new JsonObject();
        header.add("__metadata__", metadata);
        header.add(TENSOR, tensor);
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

    /** A header's contents. */
    private record Header(Map<String, String> metadata, Shape shape, List<Long> offsets) {}

    /**
     * Reads a state.
     *
     * @param check looks at the facts before the latents are read, and throws where they do not fit
     * @param expected the latents' shape
     * @throws CheckpointException when the file is missing, damaged, or no state of this program
     */
    public static StateFile read(Path file, Consumer<Map<String, String>> check, Shape expected) {
        MappedFile.requireFile(file);
        try (InputStream in = Files.newInputStream(file)) {
            return read(file, in, check, expected);
        } catch (IOException e) {
            throw MappedFile.unreadable(file, e);
        }
    }

    /** {@link #read(Path, Consumer, Shape)} of a stream; {@code file} is for messages. */
    static StateFile read(Path file, InputStream stream, Consumer<Map<String, String>> check, Shape expected)
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
            if (!FORMAT.equals(facts.remove(FORMAT_KEY))) {
                throw noState(file);
            }
            String digest = String.valueOf(facts.remove(DIGEST_KEY));
            check.accept(facts);
            long size = Float.BYTES * expected.elements();
            if (!header.shape().equals(expected) || !header.offsets().equals(List.of(0L, size))) {
                throw Refusal.of(file, Refusal.tensor(TENSOR), "shape " + expected, "shape " + header.shape());
            }
            byte[] data = in.readNBytes(Math.toIntExact(size));
            if (data.length < size || in.read() >= 0) {
                throw Refusal.of(file, "size of the latents", size + " bytes", data.length < size ? "fewer" : "more");
            }
            if (!digest.equals(digest(facts, expected, data))) {
                throw Refusal.of(file, "the state is damaged: its SHA-256 is not the one noted in it");
            }
            float[] latents = new float[data.length / Float.BYTES];
            ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(latents);
            return new StateFile(facts, expected, latents);
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
            return FORMAT.equals(
                    header(file, in.readNBytes((int) length)).metadata().get(FORMAT_KEY));
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
            List<Long> shape = List.of();
            List<Long> offsets = List.of();
            reader.beginObject();
            while (reader.hasNext()) {
                switch (reader.nextName()) {
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
                    case TENSOR -> {
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
                    }
                    default -> throw noState(file);
                }
            }
            reader.endObject();
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw noState(file);
            }
            return new Header(metadata, new Shape(shape), offsets);
        } catch (IOException | IllegalStateException | IllegalArgumentException | JsonParseException malformed) {
            throw Refusal.of(file, "this is no state that --checkpoint-steps has written", malformed);
        }
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
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            new TreeMap<>(facts).forEach((name, value) -> {
                sha.update((name + "\0" + value + "\0").getBytes(StandardCharsets.UTF_8));
            });
            sha.update(shape.toString().getBytes(StandardCharsets.UTF_8));
            sha.update(data);
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static byte[] bytes(float[] values) {
        ByteBuffer buffer = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
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
