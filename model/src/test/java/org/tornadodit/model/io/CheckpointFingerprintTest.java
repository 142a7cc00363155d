package org.tornadodit.model.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.CheckpointFingerprint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.tensor.TensorSpec;

/** A state goes on with its own model alone: any one value that differs is another model. */
class CheckpointFingerprintTest {
    private static final long SEED = 20_261_127;
    private static final int VALUES = 5000;
    private static final List<TensorSpec> TENSORS =
            List.of(new TensorSpec("a", Shape.of(VALUES)), new TensorSpec("b", Shape.of(VALUES / 8, 8)));

    @TempDir
    Path folder;

    @Test
    void seesEveryValue() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        float[] values = new float[2 * VALUES];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        String expected = fingerprint(values);
        assertEquals(expected, fingerprint(values.clone()));
        for (int attempt = 0; attempt < 200; attempt++) {
            float[] changed = values.clone();
            int at = random.nextInt(changed.length);
            changed[at] = Math.nextUp(changed[at]);
            assertNotEquals(expected, fingerprint(changed), "value " + at + " changed, seed " + SEED);
        }
    }

    private String fingerprint(float[] values) throws IOException {
        Path file = folder.resolve("weights.safetensors");
        Files.write(
                file,
                new SafetensorsWriter()
                        .add("a", Shape.of(VALUES), Arrays.copyOf(values, VALUES))
                        .add("b", Shape.of(VALUES / 8, 8), Arrays.copyOfRange(values, VALUES, 2 * VALUES))
                        .end());
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            return CheckpointFingerprint.of(checkpoint, TENSORS);
        }
    }
}
