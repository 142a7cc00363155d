package org.tornadodit.model.metrics;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Whatever the bytes of a PNG, within {@link ImageBounds}. */
class PngFuzzTest {

    @FuzzTest
    void bounded(byte[] content) {
        ImageBounds.check(content);
    }
}
