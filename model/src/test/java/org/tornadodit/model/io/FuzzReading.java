package org.tornadodit.model.io;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.tornadodit.model.io.tensor.StoredTensor;

/** Reads what a checkpoint declares, as an engine would. */
public final class FuzzReading {

    /** Values of one tensor that are read: an expanded one repeats few of them many times. */
    private static final long MOST_VALUES = 1 << 16;

    private FuzzReading() {}

    public static void readAll(Map<String, StoredTensor> tensors) {
        for (StoredTensor tensor : tensors.values()) {
            tensor.check().run();
            if (tensor.shape().elements() <= MOST_VALUES) {
                tensor.copyTo(
                        MemorySegment.ofArray(new float[(int) tensor.shape().elements()]));
            }
        }
    }
}
