package org.tornadodit.scheduler.device;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.tornadodit.kernels.Conv2d;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Tensor;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Copies tensors into arrays that TornadoVM can upload. */
public final class DeviceArrays {
    private DeviceArrays() {}

    /** The tensors' values one after the other. */
    public static FloatArray stacked(ArraySource arrays, List<Tensor> tensors) {
        long elements = tensors.stream().mapToLong(t -> t.shape().elements()).sum();
        return arrays.floats(elements, array -> {
            MemorySegment target = array.getSegment();
            long offset = 0;
            for (Tensor tensor : tensors) {
                MemorySegment.copy(
                        tensor.data(), 0, target, offset, tensor.data().byteSize());
                offset += tensor.data().byteSize();
            }
        });
    }

    /** 3 x 3 convolutions of the same sizes one after the other, each (O, 3, 3, I) as {@link Conv2d} reads them. */
    public static FloatArray stackedConvolutions(ArraySource arrays, List<Linear> layers, int out, int in) {
        long size = 9L * out * in;
        return arrays.floats(layers.size() * size, array -> {
            for (int layer = 0; layer < layers.size(); layer++) {
                float[] weight = Conv2d.channelsLast(layers.get(layer).weight().toArray(), out, in);
                MemorySegment.copy(MemorySegment.ofArray(weight), 0, array.getSegment(), 4L * layer * size, 4L * size);
            }
        });
    }

    public static FloatArray of(ArraySource arrays, Tensor tensor) {
        return stacked(arrays, List.of(tensor));
    }

    /** All values of {@code from} into the first elements of {@code to}. */
    public static void fill(FloatArray to, float[] from) {
        fill(to, 0, from);
    }

    /** All values of {@code from} into the elements of {@code to} from {@code first} on. */
    public static void fill(FloatArray to, int first, float[] from) {
        MemorySegment.copy(from, 0, to.getSegment(), ValueLayout.JAVA_FLOAT, 4L * first, from.length);
    }

    /** The first elements. */
    public static float[] first(FloatArray from, int count) {
        float[] result = new float[count];
        MemorySegment.copy(from.getSegment(), ValueLayout.JAVA_FLOAT, 0, result, 0, count);
        return result;
    }
}
