package org.tornadodit.model.io.torch;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.MappedFiles;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.StoredTensor;

/**
 * PyTorch's format before 1.6, in which torchvision's and LPIPS' published weights still are: pickles of a magic number,
 * a version, the system, the state_dict and the keys of the storages; then for each key its length (8 bytes) and data.
 */
public final class LegacyTorchFile {

    /** The pickle of torch's magic number 0x1950a86a20f9469cfc6c. */
    private static final byte[] MAGIC = {
        (byte) 0x80,
        2,
        (byte) 0x8a,
        10,
        0x6c,
        (byte) 0xfc,
        (byte) 0x9c,
        0x46,
        (byte) 0xf9,
        0x20,
        0x6a,
        (byte) 0xa8,
        0x50,
        0x19,
        '.'
    };
    /** The pickle of the only version there was, 1001. */
    private static final byte[] VERSION = {(byte) 0x80, 2, 'M', (byte) 0xe9, 3, '.'};

    /** VGG16's has 4 KB. */
    private static final int LARGEST_PICKLE = 16 << 20;

    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final MemorySegment content;
    private final Map<String, TorchUnpickler.Storage> described = new HashMap<>();
    private final Map<String, MemorySegment> storages = new HashMap<>();
    private long position;

    private LegacyTorchFile(Path file, MemorySegment content) {
        this.file = file;
        this.content = content;
    }

    /** Whether a file that starts so is of this format. */
    public static boolean recognizes(byte[] start) {
        return start.length >= MAGIC.length && Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length);
    }

    /**
     * The tensors of a file, in its order.
     *
     * @param files holds the mapping
     * @throws CheckpointException when the file is not sound, or holds anything but tensors
     */
    public static Map<String, StoredTensor> read(Path file, MappedFiles files) {
        return parse(file, files.map(file));
    }

    /** {@link #read} of bytes that are in memory already. */
    static Map<String, StoredTensor> parse(Path file, MemorySegment content) {
        return new LegacyTorchFile(file, content).tensors();
    }

    private Map<String, StoredTensor> tensors() {
        requireBytes(MAGIC, "PyTorch's magic number");
        requireBytes(VERSION, "protocol version 1001");
        if (!(pickle("system") instanceof Map<?, ?> system) || !Boolean.TRUE.equals(system.get("little_endian"))) {
            throw Refusal.of(file, "byte order", "little", "another");
        }
        Object root = pickle("state_dict");
        if (!(pickle("storage keys") instanceof List<?> keys)) {
            throw Refusal.of(file, "storage keys", "a list", "another object");
        }
        for (Object key : keys) {
            readStorage(key);
        }
        return new StateDict(
                        file,
                        "state_dict",
                        storage -> new StateDict.Bytes(storage(storage.key()), StoredTensor.Check.NONE))
                .tensors(root);
    }

    private void requireBytes(byte[] bytes, String what) {
        byte[] found = content.asSlice(position, Math.min(bytes.length, content.byteSize() - position))
                .toArray(ValueLayout.JAVA_BYTE);
        if (!Arrays.equals(found, bytes)) {
            throw Refusal.of(file, "header", what, "something else");
        }
        position += bytes.length;
    }

    private @Nullable Object pickle(String part) {
        long most = Math.min(LARGEST_PICKLE, content.byteSize() - position);
        byte[] bytes = content.asSlice(position, most).toArray(ValueLayout.JAVA_BYTE);
        try {
            int length = PickleScan.length(bytes);
            position += length;
            return TorchUnpickler.read(Arrays.copyOf(bytes, length), described);
        } catch (IOException refused) {
            throw Refusal.of(file, part + ": " + refused.getMessage(), refused);
        }
    }

    private void readStorage(@Nullable Object key) {
        if (!(key instanceof String name) || !described.containsKey(name) || storages.containsKey(name)) {
            throw Refusal.of(file, "storage keys", "each storage of the state_dict once", "another key");
        }
        long left = content.byteSize() - position;
        if (left < Long.BYTES) {
            throw Refusal.of(file, "storage " + Refusal.printable(name), "its length", "the end of the file");
        }
        long elements = content.get(LENGTH, position);
        int width = described.get(name).dtype().bytes();
        position += Long.BYTES;
        // Not a product: elements is what the file claims.
        if (elements < 0 || elements > (left - Long.BYTES) / width) {
            throw Refusal.of(
                    file,
                    "storage " + Refusal.printable(name),
                    elements + " elements of " + width + " bytes",
                    left - Long.BYTES + " bytes");
        }
        storages.put(name, content.asSlice(position, elements * width));
        position += elements * width;
    }

    private MemorySegment storage(String key) {
        MemorySegment data = storages.get(key);
        if (data == null) {
            throw Refusal.of(file, "storage " + Refusal.printable(key), "its data", "none");
        }
        return data;
    }
}
