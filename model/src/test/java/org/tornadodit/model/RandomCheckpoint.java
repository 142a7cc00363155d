package org.tornadodit.model;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.tensor.TensorSpec;

/** A checkpoint of random weights, scaled so that activations stay near 1. */
public final class RandomCheckpoint implements Checkpoint {

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /** All tensors of {@code specs} but those left out. */
    public RandomCheckpoint(List<TensorSpec> specs, long seed, Predicate<String> leftOut) {
        Random random = new Random(seed);
        for (TensorSpec spec : specs) {
            float[] values = new float[(int) spec.shape().elements()];
            boolean vector = spec.shape().rank() == 1;
            double fanIn = vector ? 25 : (double) values.length / spec.shape().dim(0);
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (random.nextGaussian() / Math.sqrt(fanIn));
            }
            if (!leftOut.test(spec.name())) {
                tensors.put(spec.name(), Tensor.of(spec.name(), spec.shape(), values));
            }
        }
    }

    public RandomCheckpoint(List<TensorSpec> specs, long seed) {
        this(specs, seed, name -> false);
    }

    @Override
    public Path path() {
        return Path.of("random");
    }

    @Override
    public Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public Shape shape(String name) {
        return tensor(name).shape();
    }

    @Override
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException("random: no tensor " + name);
        }
        return tensor;
    }

    @Override
    public void close() {}
}
