package org.tornadodit.model.metrics;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Whatever the bytes of a JPEG, within {@link ImageBounds}. */
class JpegFuzzTest {

    @FuzzTest
    void bounded(byte[] content) {
        ImageBounds.check(content);
    }
}
