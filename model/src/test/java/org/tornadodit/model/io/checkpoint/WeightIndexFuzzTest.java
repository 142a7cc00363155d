package org.tornadodit.model.io.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;
import org.tornadodit.model.io.file.CheckpointException;

/** Whatever the bytes of an {@code index.json}: values, or one line, within {@link FuzzBounds}. */
class WeightIndexFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(CheckpointException.class, () -> ShardedWeights.weightMap(FILE, content));
    }
}
