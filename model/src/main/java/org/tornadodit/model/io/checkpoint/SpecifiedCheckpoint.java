package org.tornadodit.model.io.checkpoint;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.tensor.TensorSpec;

/** A checkpoint that is no file: exactly the tensors that a model asks for. */
abstract sealed class SpecifiedCheckpoint implements Checkpoint permits SeededCheckpoint, ShapesAlone {
    private final String name;
    private final Map<String, Shape> shapes = new LinkedHashMap<>();

    /** @param name of all of it, in place of a file's */
    SpecifiedCheckpoint(String name, List<TensorSpec> specs) {
        this.name = name;
        specs.forEach(spec -> shapes.put(spec.name(), spec.shape()));
    }

    @Override
    public Path path() {
        return Path.of(name);
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(shapes.keySet());
    }

    @Override
    public Shape shape(String tensor) {
        Shape shape = shapes.get(tensor);
        if (shape == null) {
            throw new CheckpointException(name + ": there is no tensor " + tensor);
        }
        return shape;
    }

    @Override
    public void close() {}
}
