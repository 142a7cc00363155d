package org.tornadodit.model.io.checkpoint;

import java.util.List;
import java.util.SplittableRandom;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.tensor.TensorSpec;

/**
 * Weights drawn at random, for measuring a model whose weights are not at hand: arithmetic and times are the same. Each
 * tensor is made when it is asked for and scaled so that activations stay near 1; the same seed gives the same tensors.
 */
public final class SeededCheckpoint extends SpecifiedCheckpoint {
    private final long seed;

    /** A checkpoint that holds exactly these tensors. */
    public SeededCheckpoint(List<TensorSpec> specs, long seed) {
        super("random weights", specs);
        this.seed = seed;
    }

    /** Uniform values of mean 0; a vector's deviation is 0.2, a matrix's one over the root of its inputs. */
    @Override
    public Tensor tensor(String name) {
        Shape shape = shape(name);
        float[] values = new float[Math.toIntExact(shape.elements())];
        double inputs = shape.rank() == 1 ? 25 : (double) values.length / shape.dim(0);
        float width = (float) Math.sqrt(12 / inputs);
        SplittableRandom random = new SplittableRandom(seed ^ name.hashCode());
        for (int i = 0; i < values.length; i++) {
            values[i] = width * ((random.nextInt() >>> 8) * 0x1p-24f - 0.5f);
        }
        return Tensor.of(name, shape, values);
    }
}
