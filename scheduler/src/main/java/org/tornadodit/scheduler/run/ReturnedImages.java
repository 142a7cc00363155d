package org.tornadodit.scheduler.run;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The images of one decode, which come to the host in one array portion by portion. Their own array comes into being while the
 * device decodes the first portion, and each is copied while it decodes the next: either takes milliseconds.
 */
final class ReturnedImages {
    /** Elements that a thread copies. */
    private static final int PIECE = 1 << 17;

    private final FloatArray returned;
    private final int elements;
    private float @Nullable [] values;
    /** Of the elements that came last and are not copied yet: the first's place among all, and how many they are. */
    private int first;

    private int came;

    /**
     * @param returned where each portion comes to
     * @param elements of all images
     */
    ReturnedImages(FloatArray returned, int elements) {
        this.returned = returned;
        this.elements = elements;
    }

    /** Makes room for the next portion, and marks that it has not come: between the last and it. */
    void awaitNext() {
        all();
        ReturnedValues.spoilPages(returned);
    }

    /** A portion has come: so many elements, of which the first is that of all images. */
    void came(int first, int count) {
        this.first = first;
        came = count;
    }

    /** All elements that have come. */
    float[] all() {
        float[] to = values;
        if (to == null) {
            to = new float[elements];
            values = to;
        }
        copy(returned.getSegment(), to);
        came = 0;
        return to;
    }

    private void copy(MemorySegment from, float[] to) {
        IntStream.range(0, Math.ceilDiv(came, PIECE)).parallel().forEach(piece -> {
            int begin = piece * PIECE;
            MemorySegment.copy(
                    from,
                    ValueLayout.JAVA_FLOAT,
                    (long) begin * Float.BYTES,
                    to,
                    first + begin,
                    Math.min(PIECE, came - begin));
        });
    }
}
