package org.tornadodit.model.cpu;

import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.cpu.MatrixProduct.Left;
import org.tornadodit.model.cpu.MatrixProduct.Output;
import org.tornadodit.model.io.tensor.TensorSpec;

/** Linear layers and convolutions: their weights are packed, once or for each use, and multiplied. */
final class Layers {

    private final Workers workers;
    private final MatrixProduct product;
    private final boolean keep;
    private final Map<Linear, Packed> kept = new IdentityHashMap<>();
    private final PackedMatrix shared = new PackedMatrix();
    /** For each worker one row of a weight. */
    private final float[][] rows;

    private record Packed(PackedMatrix weight, float[] bias) {}

    /** @param keep whether packed weights are kept, a second copy of the model */
    Layers(Workers workers, MatrixProduct product, boolean keep) {
        this.workers = workers;
        this.product = product;
        this.keep = keep;
        this.rows = new float[workers.threads()][0];
    }

    /**
     * Heap that the packed weights of a model take.
     *
     * @param specs of its layers' weights (out, in, ...); other tensors among them have one dimension
     * @param keep whether they are kept; else one is held at a time
     */
    static long heapBytes(List<TensorSpec> specs, boolean keep) {
        LongStream packed = specs.stream().mapToLong(spec -> {
            Shape shape = spec.shape();
            long out = shape.dim(0);
            return shape.rank() == 1 ? Float.BYTES * out : PackedMatrix.bytes(shape.elements() / out, out);
        });
        return keep ? packed.sum() : packed.max().orElse(0);
    }

    /** {@code out = x W^T + b}, x (rows, in), out (rows, out). */
    void linear(float[] x, int rowCount, Linear layer, float[] out) {
        apply(Left.matrix(x, 0, layer.in()), rowCount, layer, new Output(out, 0, layer.out()));
    }

    /**
     * {@code out = left W^T + b} with the pieces of a row in the order of the filter's taps.
     *
     * @param layer weight (out, in), or (out, in, height, width) with height * width taps
     * @param out (rows, out)
     */
    void apply(Left left, int rowCount, Linear layer, Output out) {
        Packed packed = packed(layer, left.taps());
        product.multiply(workers, left, rowCount, packed.weight, packed.bias, out);
    }

    private Packed packed(Linear layer, int taps) {
        Packed present = kept.get(layer);
        if (present != null) {
            return present;
        }
        Packed packed =
                new Packed(keep ? new PackedMatrix() : shared, layer.bias().toArray());
        packed.weight.resize(layer.in(), layer.out());
        MemorySegment weight = layer.weight().data();
        workers.forEach(packed.weight.panels(), (panel, worker) -> {
            rows[worker] = packed.weight.packWeight(panel, weight, taps, rows[worker]);
        });
        if (keep) {
            kept.put(layer, packed);
        }
        return packed;
    }
}
