package org.tornadodit.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/**
 * A float32 tensor: row major, contiguous, little endian. Its memory may be a mapped file, so it lives only as long as
 * the checkpoint that it came from. Weights are tensors; activations are plain {@code float[]}.
 *
 * @param name PyTorch's module path, such as {@code blocks.7.attn.qkv.weight}
 * @param shape sizes, outermost first
 * @param data {@code shape.elements()} little-endian floats, any alignment; {@link MemorySegment#NULL} where the shape alone is
 *     known, and reading an element fails
 */
public record Tensor(String name, Shape shape, MemorySegment data) {

    /** How an element lies in {@link #data}; unaligned, because checkpoint formats align to bytes only. */
    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Bytes that one core copies at a time. */
    private static final long CHUNK = 1 << 20;

    /** @throws IllegalArgumentException when the memory's size is not that of the shape */
    public Tensor {
        if (!data.equals(MemorySegment.NULL)
                && data.byteSize() != Math.multiplyExact(shape.elements(), (long) Float.BYTES)) {
            throw new IllegalArgumentException("%s: %d bytes for shape %s".formatted(name, data.byteSize(), shape));
        }
    }

    /** A tensor over an array, which is not copied. */
    public static Tensor of(String name, Shape shape, float... values) {
        return new Tensor(name, shape, MemorySegment.ofArray(values));
    }

    /** Element {@code index} in row-major order. */
    public float get(long index) {
        return data.get(FLOAT, index * Float.BYTES);
    }

    /**
     * Writes elements in row-major order, on all cores.
     *
     * @param first index of the first
     * @param target holds exactly those that are wanted
     */
    public void copyTo(long first, MemorySegment target) {
        long bytes = target.byteSize();
        IntStream.range(0, Math.toIntExact(Math.ceilDiv(bytes, CHUNK)))
                .parallel()
                .forEach(chunk -> {
                    long at = chunk * CHUNK;
                    MemorySegment.copy(data, first * Float.BYTES + at, target, at, Math.min(CHUNK, bytes - at));
                });
    }

    /**
     * A copy on the heap.
     *
     * @throws IllegalArgumentException when there are more elements than an array holds
     */
    public float[] toArray() {
        if (shape.elements() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(name + " " + shape + " does not fit into an array");
        }
        float[] values = new float[(int) shape.elements()];
        MemorySegment.copy(data, FLOAT, 0, values, 0, values.length);
        return values;
    }
}
