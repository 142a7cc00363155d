package org.tornadodit.kernels;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * An operation at the sizes that it is compiled for: what a variant is chosen for.
 *
 * @param operation the kernel, and its epilogue where it has one
 * @param shape its sizes, as in {@code 16384x4608x1152}
 */
public record OperationShape(String operation, String shape) {

    public static OperationShape of(String operation, int... sizes) {
        return new OperationShape(
                operation, Arrays.stream(sizes).mapToObj(String::valueOf).collect(Collectors.joining("x")));
    }

    @Override
    public String toString() {
        return operation + " " + shape;
    }
}
