package org.tornadodit.pipeline.setup;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.tensor.TensorSpec;

/** What cannot fit is refused in a line, for the system would kill the process without one. */
class NativeNeedTest {
    private static final long BASE = 64L << 20;
    private static final long GIBIBYTE = 1L << 30;

    @TempDir
    Path folder;

    /** Four bytes for a value of float16, none for float32, which is used in its file's pages. */
    @Test
    void countsWhatIsConverted() throws Exception {
        String header = "{\"half\":{\"dtype\":\"F16\",\"shape\":[3,4],\"data_offsets\":[0,24]},"
                + "\"single\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[24,44]}} ";
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        byte[] file = ByteBuffer.allocate(8 + json.length + 44)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .array();
        try (Checkpoint checkpoint = Checkpoints.open(Files.write(folder.resolve("w.safetensors"), file))) {
            assertEquals(
                    48,
                    NativeNeed.copies(
                            checkpoint,
                            List.of(
                                    new TensorSpec("half", Shape.of(3, 4)),
                                    new TensorSpec("single", Shape.of(5)),
                                    new TensorSpec("absent", Shape.of(7)))));
        }
    }

    @Test
    void passesWhatFitsExactlyAndRefusesOneByteMore() {
        NativeNeed need = new NativeNeed(700L << 20, 200L << 20);
        long needed = (900L << 20) + BASE;
        assertDoesNotThrow(() -> need.require(needed));
        assertThrows(IllegalStateException.class, () -> need.require(needed - 1));
    }

    @Test
    void saysWhatTakesTheMemoryAndWhatToDo() {
        assertRefused(
                "the run needs about 3.29 GB of memory, 2.15 GB of it for weights that are not contiguous float32; the"
                        + " machine or container has 1.07 GB; give it more, or take a checkpoint in float32, which is"
                        + " used in its file's pages",
                new NativeNeed(2 * GIBIBYTE, GIBIBYTE));
        assertRefused(
                "the run needs about 1.14 GB of memory; the machine or container has 1.07 GB; give it more, or name"
                        + " fewer --class-labels",
                new NativeNeed(0, GIBIBYTE));
    }

    private static void assertRefused(String line, NativeNeed need) {
        assertEquals(
                line,
                assertThrows(IllegalStateException.class, () -> need.require(GIBIBYTE))
                        .getMessage());
    }

    @Test
    void knowsSomeRoom() {
        assertTrue(NativeNeed.room() > BASE, () -> String.valueOf(NativeNeed.room()));
    }
}
