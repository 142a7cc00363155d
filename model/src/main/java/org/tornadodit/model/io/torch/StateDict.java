package org.tornadodit.model.io.torch;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.DType;
import org.tornadodit.model.io.tensor.StoredTensor;

/**
 * Named tensors from what {@code torch.save} pickled: a bare state_dict, or DiT's training checkpoint, of which "ema" is
 * taken. Checks all that a file claims of a tensor against its storage.
 *
 * @param file for messages
 * @param part of the file that was pickled, for messages
 * @param storages the bytes of a storage
 */
record StateDict(Path file, String part, Function<TorchUnpickler.Storage, Bytes> storages) {

    /** A storage's bytes, and what has to pass before they are used. */
    record Bytes(MemorySegment data, StoredTensor.Check check) {}

    /** Elements of a tensor that repeats those of a smaller storage: 4 GiB as float32. */
    private static final long MOST_EXPANDED = 1L << 30;

    private static final int MOST_DIMENSIONS = 32;

    /**
     * The tensors, in the order of the file.
     *
     * @throws CheckpointException when there is anything else, or a tensor does not lie within its storage
     */
    Map<String, StoredTensor> tensors(@Nullable Object root) {
        if (!(root instanceof Map<?, ?> dict)) {
            throw Refusal.of(file, part, "a dict of tensors", kind(root));
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
        Bytes bytes = storages.apply(storage);
        MemorySegment data = bytes.data();
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
        // torch.save leaves expanded tensors as they are: strides of zero repeat elements.
        if (shape.elements() > elements && shape.elements() > MOST_EXPANDED) {
            throw Refusal.of(
                    file,
                    Refusal.tensor(name),
                    "at most %d elements expanded from a storage of %d".formatted(MOST_EXPANDED, elements),
                    "shape " + shape);
        }
        return new StoredTensor(
                dtype,
                shape,
                view.strides(),
                data.asSlice(view.offset() * dtype.bytes(), span * dtype.bytes()),
                bytes.check());
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
