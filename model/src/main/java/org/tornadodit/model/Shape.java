package org.tornadodit.model;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The sizes of a tensor's dimensions, outermost first, as PyTorch prints them. */
public record Shape(List<Long> dims) {

    /** @throws IllegalArgumentException when a size is negative or the number of elements exceeds a long */
    public Shape {
        dims = List.copyOf(dims);
        long elements = 1;
        for (long dim : dims) {
            if (dim < 0) {
                throw new IllegalArgumentException("negative size in shape " + dims);
            }
            try {
                elements = Math.multiplyExact(elements, dim);
            } catch (ArithmeticException overflow) {
                throw new IllegalArgumentException("shape " + dims + " has more than 2^63 elements", overflow);
            }
        }
    }

    /** The shape with these sizes; none for a scalar. */
    public static Shape of(long... dims) {
        List<Long> list = new ArrayList<>(dims.length);
        for (long dim : dims) {
            list.add(dim);
        }
        return new Shape(list);
    }

    /** Number of dimensions. */
    public int rank() {
        return dims.size();
    }

    /** Size of dimension {@code index}; negative counts from the last, as in PyTorch. */
    public long dim(int index) {
        return dims.get(index < 0 ? index + dims.size() : index);
    }

    /** Number of elements, 1 for a scalar. */
    public long elements() {
        long elements = 1;
        for (long dim : dims) {
            elements *= dim;
        }
        return elements;
    }

    /** For example {@code (16, 1024, 1152)}. */
    @Override
    public String toString() {
        return dims.stream().map(String::valueOf).collect(Collectors.joining(", ", "(", ")"));
    }
}
