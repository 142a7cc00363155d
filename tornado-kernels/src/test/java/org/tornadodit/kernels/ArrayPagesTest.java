package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class ArrayPagesTest {
    private static final int ELEMENTS = 96 << 20;

    /** Bytes of this process in memory. */
    private static long residentBytes() throws IOException {
        String[] pages = Files.readString(Path.of("/proc/self/statm")).split(" ");
        return Long.parseLong(pages[1]) * 4096;
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void arraysTakeMemoryWhenWritten() throws IOException {
        long before = residentBytes();
        FloatArray device = ArrayPages.deviceFloats(ELEMENTS);
        IntArray host = ArrayPages.ints(ELEMENTS);
        long taken = residentBytes() - before;
        assertTrue(taken < 64 << 20, () -> taken + " bytes for arrays that nobody wrote");
        assertEquals(ELEMENTS, device.getSize());
        assertEquals(0, host.get(ELEMENTS - 1));
    }

    @Test
    void arraysShareNoPage() {
        IntArray first = ArrayPages.ints(5);
        IntArray second = ArrayPages.deviceInts(5);
        long a = first.getSegmentWithHeader().address();
        long b = second.getSegmentWithHeader().address();
        assertEquals(0, a % ArrayPages.PAGE_BYTES);
        assertEquals(0, b % ArrayPages.PAGE_BYTES);
        assertTrue(a != b);
    }
}
