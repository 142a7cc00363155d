package org.tornadodit.model.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;

/** Inception v3 with the weights of reference/make_generation_references.py. */
public final class HashedInception {
    private HashedInception() {}

    /** Shapes of all tensors by name, sorted. */
    public static TreeMap<String, Shape> shapes() {
        TreeMap<String, Shape> shapes = new TreeMap<>();
        for (InceptionWeights.Spec spec : InceptionWeights.specs()) {
            shapes.put(spec.name() + ".conv.weight", spec.shape());
            for (String norm : List.of("weight", "bias", "running_mean", "running_var")) {
                shapes.put(spec.name() + ".bn." + norm, Shape.of(spec.shape().dim(0)));
            }
        }
        shapes.put("fc.weight", Shape.of(InceptionWeights.CLASSES, InceptionWeights.POOLED));
        shapes.put("fc.bias", Shape.of(InceptionWeights.CLASSES));
        return shapes;
    }

    public static InceptionWeights weights() {
        List<String> names = new ArrayList<>(shapes().keySet());
        return InceptionWeights.of((name, shape) -> tensor(name, shape, names.indexOf(name)));
    }

    private static Tensor tensor(String name, Shape shape, long layer) {
        float[] values = new float[Math.toIntExact(shape.elements())];
        double bound = shape.rank() == 1 ? 0 : Math.sqrt(6.0 / (shape.elements() / shape.dim(0)));
        boolean aroundOne = name.endsWith("bn.weight") || name.endsWith("running_var");
        for (int k = 0; k < values.length; k++) {
            double u = 2 * ((hash((layer << 32) + k) >>> 40) * 0x1p-24) - 1;
            values[k] = (float) (bound > 0 ? u * bound : aroundOne ? 1 + 0.2 * u : 0.1 * u);
        }
        return Tensor.of(name, shape, values);
    }

    /** splitmix64. */
    private static long hash(long key) {
        return new SplittableRandom(key).nextLong();
    }
}
