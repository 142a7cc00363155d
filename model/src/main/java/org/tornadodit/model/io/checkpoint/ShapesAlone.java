package org.tornadodit.model.io.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.tensor.TensorSpec;

/** A model's tensors without their values: for counting what a model takes. Costs no memory. */
public final class ShapesAlone extends SpecifiedCheckpoint {

    /** A checkpoint that holds exactly these tensors. */
    public ShapesAlone(List<TensorSpec> specs) {
        super("shapes", specs);
    }

    /** A tensor of which no element can be read. */
    @Override
    public Tensor tensor(String name) {
        return new Tensor(name, shape(name), MemorySegment.NULL);
    }
}
