package org.tornadodit.model.io.torch;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.MappedFiles;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.file.ZipIndex;
import org.tornadodit.model.io.tensor.StoredTensor;

/**
 * PyTorch's zip format ({@code .pt}, {@code .pth}, {@code .bin}; torch.save since PyTorch 1.6): {@code NAME/data.pkl}
 * describes the objects, {@code NAME/data/KEY} holds the storages, uncompressed, so that they are used in place.
 *
 * <p>Reads a bare state_dict, or DiT's training checkpoint ({@code model}, {@code ema}, {@code opt}, {@code args}), of
 * which "ema" is taken, as facebookresearch/DiT's find_model does.
 */
public final class TorchFile {

    /** DiT-XL/2's training checkpoint has about 0.4 MB. */
    private static final int LARGEST_PICKLE = 16 << 20;

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
     * @param files holds the mapping
     * @throws CheckpointException when the file is not sound, or holds anything but tensors
     */
    public static Map<String, StoredTensor> read(Path file, MappedFiles files) {
        return parse(file, files.map(file));
    }

    /** {@link #read} of bytes that are in memory already. */
    public static Map<String, StoredTensor> parse(Path file, MemorySegment content) {
        return parse(file, ZipIndex.read(file, content));
    }

    public static Map<String, StoredTensor> parse(Path file, Map<String, ZipIndex.Entry> entries) {
        return new TorchFile(file, entries).tensors();
    }

    private Map<String, StoredTensor> tensors() {
        requireLittleEndian();
        ZipIndex.Entry described = entry("data.pkl");
        MemorySegment pickle = described.data();
        if (pickle.byteSize() > LARGEST_PICKLE) {
            throw Refusal.of(file, "data.pkl", "at most " + LARGEST_PICKLE + " bytes", pickle.byteSize() + " bytes");
        }
        requireChecksum(described);
        Object root;
        try {
            root = TorchUnpickler.read(pickle.toArray(ValueLayout.JAVA_BYTE));
        } catch (IOException refused) {
            throw Refusal.of(file, "data.pkl: " + refused.getMessage(), refused);
        }
        Map<String, StateDict.Bytes> storages = new HashMap<>();
        return new StateDict(file, "data.pkl", storage -> storages.computeIfAbsent(storage.key(), this::storage))
                .tensors(root);
    }

    /** A storage, whose checksum is looked at once, when a tensor of it is first used: its pages are read then anyway. */
    private StateDict.Bytes storage(String key) {
        ZipIndex.Entry entry = entry("data/" + key);
        return new StateDict.Bytes(entry.data(), new StoredTensor.Check() {
            private boolean passed;

            @Override
            public synchronized void run() {
                if (!passed) {
                    requireChecksum(entry);
                    passed = true;
                }
            }
        });
    }

    /** 0 is what {@code torch.serialization.set_crc32_options(False)} leaves: no checksum. */
    private void requireChecksum(ZipIndex.Entry entry) {
        if (entry.crc() != 0) {
            entry.requireChecksum(file, entry.data());
        }
    }

    private ZipIndex.Entry entry(String name) {
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
        return entry;
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
            MemorySegment entry = entry("byteorder").data();
            String order = new String(
                    entry.asSlice(0, Math.min(entry.byteSize(), 16)).toArray(ValueLayout.JAVA_BYTE),
                    StandardCharsets.US_ASCII);
            if (!order.equals("little")) {
                throw Refusal.of(file, "byteorder", "little", Refusal.printable(order));
            }
        }
    }
}
