package org.tornadodit.kernels.ptx;

/** What a GPU refuses with "misaligned address". */
final class Alignment {

    private Alignment() {}

    /** Checks that an access to {@code elements} elements of an array begins at a multiple of as many. */
    static void check(int index, int elements) {
        if (index % elements != 0) {
            throw new IllegalArgumentException(
                    "misaligned access: index " + index + " is not a multiple of " + elements);
        }
    }
}
