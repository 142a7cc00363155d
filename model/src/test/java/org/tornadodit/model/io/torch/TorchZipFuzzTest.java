package org.tornadodit.model.io.torch;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tornadodit.model.FuzzBounds;
import org.tornadodit.model.io.FuzzReading;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.ZipIndex;

/** Whatever the bytes of PyTorch's zip: values, or one line, within {@link FuzzBounds}. */
class TorchZipFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(CheckpointException.class, () -> {
            Map<String, ZipIndex.Entry> entries =
                    new LinkedHashMap<>(ZipIndex.read(FILE, MemorySegment.ofArray(content)));
            // A search does not find checksums.
            entries.replaceAll(
                    (name, entry) -> new ZipIndex.Entry(name, entry.method(), entry.data(), entry.size(), 0));
            FuzzReading.readAll(TorchFile.parse(FILE, entries));
        });
    }
}
