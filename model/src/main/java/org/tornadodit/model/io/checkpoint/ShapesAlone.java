package org.tornadodit.model.io.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.tensor.TensorSpec;

/** A model's tensors without their values: for counting what a model takes. Costs no memory. */
public final class ShapesAlone implements Checkpoint {
    private final Map<String, Shape> shapes = new LinkedHashMap<>();

    /** A checkpoint that holds exactly these tensors. */
    public ShapesAlone(List<TensorSpec> specs) {
        specs.forEach(spec -> shapes.put(spec.name(), spec.shape()));
    }

    @Override
    public Path path() {
        return Path.of("shapes");
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(shapes.keySet());
    }

    @Override
    public Shape shape(String name) {
        Shape shape = shapes.get(name);
        if (shape == null) {
            throw new CheckpointException("shapes: there is no tensor " + name);
        }
        return shape;
    }

    /** A tensor of which no element can be read. */
    @Override
    public Tensor tensor(String name) {
        return new Tensor(name, shape(name), MemorySegment.NULL);
    }

    @Override
    public void close() {}
}
