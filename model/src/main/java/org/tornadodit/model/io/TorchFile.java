package org.tornadodit.model.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;

/**
 * PyTorch's zip format ({@code .pt}, {@code .pth}, {@code .bin}; torch.save since PyTorch 1.6): {@code NAME/data.pkl}
 * describes the objects, {@code NAME/data/KEY} holds the storages, uncompressed, so that they are used in place.
 *
 * <p>Reads a bare state_dict, or DiT's training checkpoint ({@code model}, {@code ema}, {@code opt}, {@code args}), of
 * which "ema" is taken, as facebookresearch/DiT's find_model does.
 */
final class TorchFile {

    /** DiT-XL/2's training checkpoint has about 0.4 MB. */
    private static final int LARGEST_PICKLE = 16 << 20;

    private static final int MOST_DIMENSIONS = 32;

    private final Path file;
    private final Map<String, ZipIndex.Entry> entries;
    private final String prefix;

    private TorchFile(Path file, Map<String, ZipIndex.Entry> entries) {
        this.file = file;
        this.entries = entries;
        this.prefix = prefix();
    }

    /**
     * The tensors of a file, in its order.
     *
     * @param arena holds the mapping
     * @throws CheckpointException when the file is not sound, or holds anything but tensors
     */
    static Map<String, StoredTensor> read(Path file, Arena arena) {
        return parse(file, MappedFile.map(file, arena));
    }

    /** {@link #read} of bytes that are in memory already. */
    static Map<String, StoredTensor> parse(Path file, MemorySegment content) {
        return new TorchFile(file, ZipIndex.read(file, content)).tensors();
    }

    private Map<String, StoredTensor> tensors() {
        requireLittleEndian();
        MemorySegment pickle = entry("data.pkl");
        if (pickle.byteSize() > LARGEST_PICKLE) {
            throw Refusal.of(file, "data.pkl", "at most " + LARGEST_PICKLE + " bytes", pickle.byteSize() + " bytes");
        }
        Object root;
        try {
            root = TorchUnpickler.read(pickle.toArray(ValueLayout.JAVA_BYTE));
        } catch (IOException refused) {
            throw Refusal.of(file, "data.pkl: " + refused.getMessage(), refused);
        }
        if (!(root instanceof Map<?, ?> dict)) {
            throw Refusal.of(file, "data.pkl", "a dict of tensors", kind(root));
        }
        if (dict.get("ema") instanceof Map<?, ?> ema) {
            dict = ema;
        }
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        for (Map.Entry<?, ?> item : dict.entrySet()) {
            if (!(item.getKey() instanceof String name)) {
                throw Refusal.of(file, "state_dict", "names as keys", kind(item.getKey()));
            }
            if (!(item.getValue() instanceof TorchUnpickler.View view)) {
                throw Refusal.of(file, Refusal.tensor(name), "a tensor", kind(item.getValue()));
            }
            tensors.put(name, tensor(name, view));
        }
        if (tensors.isEmpty()) {
            throw Refusal.of(file, "state_dict", "tensors", "none");
        }
        return tensors;
    }

    private StoredTensor tensor(String name, TorchUnpickler.View view) {
        TorchUnpickler.Storage storage = view.storage();
        DType dtype = storage.dtype();
        if (view.sizes().size() > MOST_DIMENSIONS) {
            throw Refusal.of(
                    file,
                    Refusal.tensor(name),
                    "at most " + MOST_DIMENSIONS + " dimensions",
                    view.sizes().size() + " dimensions");
        }
        MemorySegment data = entry("data/" + storage.key());
        // Not a product: elements is what the file claims.
        if (data.byteSize() % dtype.bytes() != 0 || data.byteSize() / dtype.bytes() != storage.elements()) {
            throw Refusal.of(
                    file,
                    Refusal.tensor(name),
                    "%d elements of %s in its storage".formatted(storage.elements(), dtype),
                    data.byteSize() + " bytes");
        }
        long elements = storage.elements();
        Shape shape;
        long span;
        try {
            shape = new Shape(view.sizes());
            span = StoredTensor.span(shape, view.strides());
        } catch (IllegalArgumentException wrong) {
            throw Refusal.of(file, Refusal.tensor(name) + ": " + wrong.getMessage(), wrong);
        }
        if (view.offset() < 0 || view.offset() > elements || span > elements - view.offset()) {
            throw Refusal.of(
                    file,
                    Refusal.tensor(name),
                    "elements within a storage of " + elements,
                    "shape %s, strides %s from element %d".formatted(shape, view.strides(), view.offset()));
        }
        // A stride of zero repeats elements without end; torch.save of a state_dict never leaves one.
        if (shape.elements() > elements) {
            throw Refusal.of(
                    file,
                    Refusal.tensor(name),
                    "at most the %d elements of its storage".formatted(elements),
                    "shape " + shape);
        }
        return new StoredTensor(
                dtype, shape, view.strides(), data.asSlice(view.offset() * dtype.bytes(), span * dtype.bytes()));
    }

    private MemorySegment entry(String name) {
        ZipIndex.@Nullable Entry entry = entries.get(prefix + name);
        if (entry == null) {
            throw Refusal.of(file, "zip archive", "an entry " + Refusal.printable(prefix + name), "none");
        }
        if (!entry.isStored()) {
            throw Refusal.of(
                    file,
                    "zip entry " + Refusal.printable(entry.name()),
                    "uncompressed data, as torch.save writes",
                    "compression method " + entry.method());
        }
        return entry.data();
    }

    /** The one folder of the archive, with a slash. */
    private String prefix() {
        List<String> prefixes = new ArrayList<>();
        for (String name : entries.keySet()) {
            if (name.endsWith("/data.pkl") && name.indexOf('/') == name.length() - "/data.pkl".length()) {
                prefixes.add(name.substring(0, name.indexOf('/') + 1));
            }
        }
        if (prefixes.size() != 1) {
            throw Refusal.of(
                    file,
                    "zip archive",
                    "one data.pkl, as torch.save writes",
                    prefixes.isEmpty() ? "none" : prefixes.size() + "");
        }
        return prefixes.getFirst();
    }

    private void requireLittleEndian() {
        if (entries.containsKey(prefix + "byteorder")) {
            MemorySegment entry = entry("byteorder");
            String order = new String(
                    entry.asSlice(0, Math.min(entry.byteSize(), 16)).toArray(ValueLayout.JAVA_BYTE),
                    StandardCharsets.US_ASCII);
            if (!order.equals("little")) {
                throw Refusal.of(file, "byteorder", "little", Refusal.printable(order));
            }
        }
    }

    /** What a value is, without looking into it: it may contain itself. */
    private static String kind(@Nullable Object value) {
        return switch (value) {
            case null -> "None";
            case Map<?, ?> dict -> "a dict of " + dict.size();
            case List<?> list -> "a list of " + list.size();
            case Object[] tuple -> "a tuple of " + tuple.length;
            case TorchUnpickler.View view -> "a tensor";
            case String text -> "a string";
            case Number number -> "a number";
            case Boolean flag -> "a boolean";
            default -> "another object";
        };
    }
}
