package org.tornadodit.model.io.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.StoredTensor;

/**
 * A checkpoint under other names: tensors renamed, given another shape, or joined along their first dimension. Joined
 * ones are copied when first asked for, into memory of the source; the others are the source's own.
 */
final class DerivedCheckpoint implements Checkpoint {

    /**
     * Where a tensor comes from.
     *
     * @param parts names in the source, joined in this order
     * @param shape of the result
     */
    record Origin(List<String> parts, Shape shape) {
        Origin {
            parts = List.copyOf(parts);
        }
    }

    private final StoredCheckpoint source;
    private final Map<String, Origin> origins;
    private final Map<String, Tensor> tensors = new ConcurrentHashMap<>();

    /** @param source closed with this one */
    DerivedCheckpoint(StoredCheckpoint source, Map<String, Origin> origins) {
        this.source = source;
        this.origins = Collections.unmodifiableMap(new LinkedHashMap<>(origins));
    }

    @Override
    public Path path() {
        return source.path();
    }

    @Override
    public Set<String> names() {
        return origins.keySet();
    }

    @Override
    public Shape shape(String name) {
        return origin(name).shape();
    }

    @Override
    public Tensor tensor(String name) {
        Origin origin = origin(name);
        return tensors.computeIfAbsent(name, key -> new Tensor(key, origin.shape(), data(key, origin)));
    }

    @Override
    public long copiedBytes(String name) {
        Origin origin = origin(name);
        return origin.parts().size() == 1
                ? source.copiedBytes(origin.parts().getFirst())
                : Math.multiplyExact(origin.shape().elements(), (long) Float.BYTES);
    }

    @Override
    public void beginChecks(List<String> names) {
        source.beginChecks(
                names.stream().flatMap(name -> origin(name).parts().stream()).toList());
    }

    @Override
    public void requireIntact() {
        source.requireIntact();
    }

    private MemorySegment data(String name, Origin origin) {
        if (origin.parts().size() == 1) {
            return source.tensor(origin.parts().getFirst()).data();
        }
        MemorySegment joined = StoredCheckpoint.allocate(path(), source.arena(), name, origin.shape());
        long offset = 0;
        for (String part : origin.parts()) {
            StoredTensor stored = source.stored(part);
            source.requireChecked(stored);
            long bytes = stored.shape().elements() * Float.BYTES;
            stored.copyTo(joined.asSlice(offset, bytes));
            offset += bytes;
        }
        return joined.asReadOnly();
    }

    private Origin origin(String name) {
        @Nullable Origin origin = origins.get(name);
        if (origin == null) {
            throw Refusal.of(path(), Refusal.tensor(name), "a tensor of this name", "none");
        }
        return origin;
    }

    @Override
    public void close() {
        source.close();
    }
}
