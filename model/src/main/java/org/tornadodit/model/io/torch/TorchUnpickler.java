package org.tornadodit.model.io.torch;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.razorvine.pickle.IObjectConstructor;
import net.razorvine.pickle.Opcodes;
import net.razorvine.pickle.PickleException;
import net.razorvine.pickle.PickleUtils;
import net.razorvine.pickle.Unpickler;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.DType;

/**
 * Builds what {@code torch.save} pickled, from an allow-list of globals: {@code collections.OrderedDict},
 * {@code torch._utils._rebuild_tensor} and its {@code _v2}, {@code torch._utils._rebuild_parameter}, typed storages, and
 * {@code argparse.Namespace}, of which only a placeholder is made (DiT's train.py stores its arguments). Any other
 * global is refused by its name. Nothing is looked up by reflection, and containers are never walked, hashed or
 * printed, so that cyclic and shared structures cost nothing.
 */
final class TorchUnpickler extends Unpickler {

    /** A storage: {@code elements} values of one type; entry {@code data/KEY} of a zip. */
    record Storage(DType dtype, String key, long elements) {}

    /** A view of a storage; nothing in it is checked yet. */
    record View(Storage storage, long offset, List<Long> sizes, List<Long> strides) {}

    /** A global that was named in the pickle, and what calling it gives. */
    private record Global(String name, Call call) implements IObjectConstructor {
        @Override
        public @Nullable Object construct(@Nullable Object[] arguments) {
            return call.on(arguments);
        }
    }

    private interface Call {
        @Nullable
        Object on(@Nullable Object[] arguments);
    }

    /** Stands for an {@code argparse.Namespace}, whose attributes are dropped. */
    private record Opaque() {}

    private static final String EXPECTED = "expected a pickle of tensors";
    private static final Opaque OPAQUE = new Opaque();

    /**
     * Elements of containers that may be walked while one pickle is built. A memoised list takes two bytes to name again,
     * and could be walked by each; DiT-XL/2's checkpoint needs some ten thousand.
     */
    private static final int MOST_WALKED = 2_000_000;

    private static final int MOST_DIMENSIONS = 32;
    private static final int LONGEST_KEY = 200;

    /** Storages that were named, by their keys. */
    private final Map<String, Storage> storages;

    private int walked;

    private TorchUnpickler(Map<String, Storage> storages) {
        this.storages = storages;
    }

    /**
     * The object of a pickle: dicts as LinkedHashMap in the order of the file, tensors as {@link View}.
     *
     * @throws IOException when the pickle is malformed or holds anything that is not allowed
     */
    static @Nullable Object read(byte[] pickle) throws IOException {
        return read(pickle, new HashMap<>());
    }

    /**
     * {@link #read(byte[])}, and what storages there have to be.
     *
     * @param storages receives each storage that is named, by its key
     */
    static @Nullable Object read(byte[] pickle, Map<String, Storage> storages) throws IOException {
        PickleScan.check(pickle);
        try {
            return new TorchUnpickler(storages).load(new ByteArrayInputStream(pickle));
        } catch (PickleException refused) {
            String message = String.valueOf(refused.getMessage());
            throw new IOException(
                    message.startsWith(EXPECTED) ? message : EXPECTED + ", found: " + Refusal.printable(message),
                    refused);
        } catch (RuntimeException malformed) {
            // The library meets a wrong stack or a wrong type as whatever exception the JVM raises.
            throw new IOException(EXPECTED + ", found a malformed one", malformed);
        }
    }

    @Override
    protected Object dispatch(short opcode) throws IOException {
        // What the library would do by reflection, without order, or at a cost that a file can choose.
        switch (opcode) {
            case Opcodes.GLOBAL -> {
                String module = PickleUtils.readline(input);
                stack.add(global(module, PickleUtils.readline(input)));
            }
            case Opcodes.STACK_GLOBAL -> {
                String name = text(stack.pop());
                stack.add(global(text(stack.pop()), name));
            }
            case Opcodes.REDUCE, Opcodes.NEWOBJ -> {
                Object[] arguments = tuple(stack.pop());
                if (!(stack.pop() instanceof Global callee)) {
                    throw new PickleException(EXPECTED + ", found a call of a value");
                }
                stack.add(callee.construct(arguments));
            }
            case Opcodes.BUILD -> {
                // OrderedDict carries state_dict's _metadata, Namespace its attributes: neither is needed.
                stack.pop();
                if (!(stack.peek() instanceof Map || stack.peek() instanceof Opaque)) {
                    throw new PickleException(EXPECTED + ", found a state for another object");
                }
            }
            case Opcodes.EMPTY_DICT -> stack.add(new LinkedHashMap<>());
            case Opcodes.SETITEM -> {
                Object value = stack.pop();
                Object key = stack.pop();
                put(stack.peek(), key, value);
            }
            case Opcodes.SETITEMS -> {
                List<Object> items = stack.pop_all_since_marker();
                for (int i = 0; i < items.size(); i += 2) {
                    put(stack.peek(), items.get(i), items.get(i + 1));
                }
            }
            case Opcodes.APPEND -> {
                Object value = stack.pop();
                list(stack.peek()).add(value);
            }
            case Opcodes.APPENDS -> {
                List<Object> items = stack.pop_all_since_marker();
                list(stack.peek()).addAll(items);
            }
            default -> {
                return super.dispatch(opcode);
            }
        }
        return NO_RETURN_VALUE;
    }

    /**
     * {@code ('storage', torch.FloatStorage, '0', 'cuda:0', 1152)}: type, key, device, elements; before PyTorch 1.6
     * followed by a part of another storage, or None.
     */
    @Override
    protected Object persistentLoad(Object id) {
        Object[] fields = tuple(id);
        boolean whole = fields.length == 5 || (fields.length == 6 && fields[5] == null);
        if (!whole || !"storage".equals(fields[0]) || !(fields[1] instanceof Global type)) {
            throw new PickleException(EXPECTED + ", found a reference to something else");
        }
        Optional<DType> dtype = storageType(type.name());
        if (dtype.isEmpty()) {
            throw new PickleException(EXPECTED + ", found a storage of type " + type.name());
        }
        Storage storage = new Storage(dtype.get(), text(fields[2]), integer(fields[4]));
        if (storage.key().length() > LONGEST_KEY) {
            throw new PickleException(
                    EXPECTED + ", found a storage's key of " + storage.key().length() + " characters");
        }
        Storage before = storages.putIfAbsent(storage.key(), storage);
        if (before != null && !before.equals(storage)) {
            throw new PickleException(
                    EXPECTED + ", found two descriptions of storage " + Refusal.printable(storage.key()));
        }
        return storage;
    }

    private Global global(String module, String name) {
        String qualified = module + "." + name;
        Call call = switch (qualified) {
            case "collections.OrderedDict" -> this::orderedDict;
            case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2" -> TorchUnpickler::rebuildTensor;
            case "torch._utils._rebuild_parameter" -> TorchUnpickler::rebuildParameter;
            case "argparse.Namespace" -> arguments -> OPAQUE;
            default -> {
                if (storageType(qualified).isEmpty()) {
                    throw new PickleException(EXPECTED + ", found the global " + Refusal.printable(qualified)
                            + ", which is not allowed and was not executed");
                }
                yield arguments -> {
                    throw new PickleException(EXPECTED + ", found a call of " + Refusal.printable(qualified));
                };
            }
        };
        return new Global(qualified, call);
    }

    private static Optional<DType> storageType(String qualified) {
        return qualified.startsWith("torch.")
                ? DType.ofTorchStorage(qualified.substring("torch.".length()))
                : Optional.empty();
    }

    private Object orderedDict(@Nullable Object[] arguments) {
        Map<Object, Object> dict = new LinkedHashMap<>();
        if (arguments.length > 0) {
            // Python 2 pickled an OrderedDict as a call with a list of pairs.
            List<Object> pairs = list(arguments[0]);
            walk(pairs.size());
            for (Object pair : pairs) {
                List<Object> fields = pair instanceof List ? list(pair) : Arrays.asList(tuple(pair));
                put(dict, fields.get(0), fields.get(1));
            }
        }
        return dict;
    }

    /** {@code (storage, offset, size, stride, requires_grad, backward_hooks[, metadata])}. */
    private static Object rebuildTensor(@Nullable Object[] arguments) {
        if (arguments.length < 4 || !(arguments[0] instanceof Storage storage)) {
            throw new PickleException(EXPECTED + ", found a tensor without storage");
        }
        return new View(storage, integer(arguments[1]), integers(arguments[2]), integers(arguments[3]));
    }

    /** {@code (data, requires_grad, backward_hooks)}. */
    private static Object rebuildParameter(@Nullable Object[] arguments) {
        if (arguments.length < 1 || !(arguments[0] instanceof View view)) {
            throw new PickleException(EXPECTED + ", found a parameter without tensor");
        }
        return view;
    }

    private static void put(@Nullable Object dict, @Nullable Object key, @Nullable Object value) {
        // Keys that are containers would be hashed through all that they hold.
        if (!(key == null || key instanceof String || key instanceof Number || key instanceof Boolean)) {
            throw new PickleException(EXPECTED + ", found a dict key that is not a string or number");
        }
        if (!(dict instanceof Map)) {
            throw new PickleException(EXPECTED + ", found items set on another object");
        }
        @SuppressWarnings("unchecked")
        Map<Object, Object> map = (Map<Object, Object>) dict;
        if (map.containsKey(key)) {
            throw new PickleException(
                    EXPECTED + ", found the key " + Refusal.printable(String.valueOf(key)) + " twice");
        }
        map.put(key, value);
    }

    private void walk(int elements) {
        walked += elements;
        if (walked > MOST_WALKED) {
            throw new PickleException(EXPECTED + ", found one that walks over more than " + MOST_WALKED + " elements");
        }
    }

    @SuppressWarnings("unchecked")
    private static List<Object> list(@Nullable Object value) {
        if (!(value instanceof ArrayList)) {
            throw new PickleException(EXPECTED + ", found items appended to another object");
        }
        return (List<Object>) value;
    }

    private static Object[] tuple(@Nullable Object value) {
        if (!(value instanceof Object[] fields)) {
            throw new PickleException(EXPECTED + ", found no tuple where one belongs");
        }
        return fields;
    }

    private static String text(@Nullable Object value) {
        if (!(value instanceof String string)) {
            throw new PickleException(EXPECTED + ", found no string where one belongs");
        }
        return string;
    }

    private static long integer(@Nullable Object value) {
        if (!(value instanceof Integer || value instanceof Long)) {
            throw new PickleException(EXPECTED + ", found no integer where one belongs");
        }
        return ((Number) value).longValue();
    }

    private static List<Long> integers(@Nullable Object value) {
        Object[] items = tuple(value);
        if (items.length > MOST_DIMENSIONS) {
            throw new PickleException(
                    EXPECTED + ", found " + items.length + " dimensions, more than " + MOST_DIMENSIONS);
        }
        List<Long> integers = new ArrayList<>();
        for (Object item : items) {
            integers.add(integer(item));
        }
        return integers;
    }
}
