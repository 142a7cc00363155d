package org.tornadodit.model.io;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;

/**
 * Whatever the bytes, a reader gives arrays or a {@link CheckpointException}. Runs over the inputs in the resources as a
 * plain test; {@code JAZZER_FUZZ=1 mvn -pl model test -Dfuzz.hooks=true -Dtest=ReaderFuzzTest#torch} searches for new
 * ones.
 */
class ReaderFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest(maxDuration = "60s")
    void npy(byte[] content) {
        try {
            NpyArray array = NpyFile.parse(FILE, "fuzz", MemorySegment.ofArray(content));
            array.doubles();
        } catch (CheckpointException refused) {
            requireOneLine(refused);
        }
    }

    @FuzzTest(maxDuration = "60s")
    void npz(byte[] content) {
        try {
            NpzFile.parse(FILE, MemorySegment.ofArray(content)).values().forEach(NpyArray::doubles);
        } catch (CheckpointException refused) {
            requireOneLine(refused);
        }
    }

    @FuzzTest(maxDuration = "60s")
    void safetensors(byte[] content) {
        try {
            readAll(SafetensorsFile.parse(FILE, MemorySegment.ofArray(content)));
        } catch (CheckpointException refused) {
            requireOneLine(refused);
        }
    }

    @FuzzTest(maxDuration = "60s")
    void torch(byte[] content) {
        try {
            readAll(TorchFile.parse(FILE, MemorySegment.ofArray(content)));
        } catch (CheckpointException refused) {
            requireOneLine(refused);
        }
    }

    /** The pickle alone, inside a sound archive: a fuzzer rarely gets past a zip directory. */
    @FuzzTest(maxDuration = "60s")
    void pickle(byte[] content) {
        try {
            readAll(TorchFile.parse(FILE, MemorySegment.ofArray(ZipWriter.torch(content))));
        } catch (CheckpointException refused) {
            requireOneLine(refused);
        }
    }

    private static void readAll(Map<String, StoredTensor> tensors) {
        for (StoredTensor tensor : tensors.values()) {
            tensor.copyTo(MemorySegment.ofArray(new float[(int) tensor.shape().elements()]));
        }
    }

    private static void requireOneLine(CheckpointException refused) {
        String message = String.valueOf(refused.getMessage());
        if (message.chars().anyMatch(Character::isISOControl)) {
            throw new AssertionError("not one printable line: " + message);
        }
    }
}
