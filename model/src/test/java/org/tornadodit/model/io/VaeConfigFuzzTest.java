package org.tornadodit.model.io;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.Path;
import org.tornadodit.model.FuzzBounds;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.JsonConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;

/** Whatever the bytes of a VAE's {@code config.json}: values, or one line, within {@link FuzzBounds}. */
class VaeConfigFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    @FuzzTest
    void bounded(byte[] content) {
        FuzzBounds.check(
                CheckpointException.class, () -> VaeWeights.specs(VaeConfig.fromJson(JsonConfig.parse(FILE, content))));
    }
}
