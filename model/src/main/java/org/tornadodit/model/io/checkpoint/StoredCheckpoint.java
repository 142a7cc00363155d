package org.tornadodit.model.io.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.file.MappedFiles;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.StoredTensor;

/**
 * A checkpoint over mapped files. Contiguous float32 is used where it lies; other types are converted when first asked
 * for, into memory of the checkpoint's own arena, outside the heap.
 */
final class StoredCheckpoint implements Checkpoint {

    private final Path path;
    private final MappedFiles files;
    private final Map<String, StoredTensor> stored;
    private final BackgroundChecks background = new BackgroundChecks();
    private final Map<String, Tensor> tensors = new ConcurrentHashMap<>();

    /** @param files closed with the checkpoint */
    StoredCheckpoint(Path path, MappedFiles files, Map<String, StoredTensor> stored) {
        this.path = path;
        this.files = files;
        this.stored = Collections.unmodifiableMap(new LinkedHashMap<>(stored));
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public Set<String> names() {
        return stored.keySet();
    }

    @Override
    public Shape shape(String name) {
        return stored(name).shape();
    }

    @Override
    public Tensor tensor(String name) {
        StoredTensor source = stored(name);
        return tensors.computeIfAbsent(name, key -> {
            requireChecked(source);
            if (source.isInPlace()) {
                return new Tensor(key, source.shape(), source.bytes());
            }
            MemorySegment floats = allocate(path, files.arena(), key, source.shape());
            source.copyTo(floats);
            return new Tensor(key, source.shape(), floats.asReadOnly());
        });
    }

    @Override
    public long copiedBytes(String name) {
        StoredTensor source = stored(name);
        return source.isInPlace() ? 0 : Math.multiplyExact(source.shape().elements(), (long) Float.BYTES);
    }

    @Override
    public void beginChecks(List<String> names) {
        Set<StoredTensor.Check> checks = new LinkedHashSet<>();
        for (String name : names) {
            checks.add(stored(name).check());
        }
        background.begin(checks);
    }

    @Override
    public void requireIntact() {
        try {
            background.await();
        } catch (RuntimeException | Error failure) {
            files.requireUnchanged(); // says more than what the change led to
            throw failure;
        }
        files.requireUnchanged();
    }

    /** Checks a tensor, unless that has begun in the background. */
    void requireChecked(StoredTensor tensor) {
        if (!background.has(tensor.check())) {
            tensor.check().run();
        }
    }

    /** A tensor as it is stored. */
    StoredTensor stored(String name) {
        @Nullable StoredTensor found = stored.get(name);
        if (found == null) {
            throw Refusal.of(path, Refusal.tensor(name), "a tensor of this name", "none");
        }
        return found;
    }

    Arena arena() {
        return files.arena();
    }

    /** Room for a float32 tensor of this shape. */
    static MemorySegment allocate(Path path, Arena arena, String name, Shape shape) {
        try {
            return arena.allocate(Math.multiplyExact(shape.elements(), (long) Float.BYTES), Float.BYTES);
        } catch (OutOfMemoryError | ArithmeticException | IllegalArgumentException tooLarge) {
            throw Refusal.of(
                    path,
                    "%s: not enough memory to hold shape %s as float32".formatted(Refusal.tensor(name), shape),
                    tooLarge);
        }
    }

    @Override
    public void close() {
        background.close();
        files.close();
    }
}
