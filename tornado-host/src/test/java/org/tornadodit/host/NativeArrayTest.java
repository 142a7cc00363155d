package org.tornadodit.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.InputStream;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.FieldModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.CharArray;
import uk.ac.manchester.tornado.api.types.arrays.DoubleArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.LongArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

class NativeArrayTest {
    /** TornadoVM's header is what the JVM was started with, which classes that were compiled against this one must ask for. */
    @Test
    void theHeaderIsNoConstantForCompilersToCopy() throws Exception {
        byte[] bytes;
        try (InputStream in = TornadoNativeArray.class.getResourceAsStream("TornadoNativeArray.class")) {
            bytes = Objects.requireNonNull(in).readAllBytes();
        }
        FieldModel header = ClassFile.of().parse(bytes).fields().stream()
                .filter(field -> field.fieldName().equalsString("ARRAY_HEADER"))
                .findFirst()
                .orElseThrow();
        assertEquals(Optional.empty(), header.findAttribute(Attributes.constantValue()));
    }

    @Test
    void headerAndElementsLieAsOnTornadoVM() {
        FloatArray array = FloatArray.fromElements(1.5f, -2);
        assertEquals(16, TornadoNativeArray.ARRAY_HEADER);
        assertEquals(24, array.getNumBytesOfSegmentWithHeader());
        assertEquals(8, array.getNumBytesOfSegment());
        assertEquals(2, array.getSegmentWithHeader().get(ValueLayout.JAVA_INT, 0));
        assertEquals(-2, array.getSegmentWithHeader().get(ValueLayout.JAVA_FLOAT, 20));
        assertEquals(-2, array.getSegment().get(ValueLayout.JAVA_FLOAT, 4));
        assertEquals(4, array.getElementSize());
    }

    @Test
    void segmentsAreCopiedOrShared() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0, 0, 0, 0, 7, 8);
            FloatArray copy = FloatArray.fromSegment(segment);
            FloatArray shared = FloatArray.fromSegmentShallow(segment);
            assertEquals(6, copy.getSize());
            assertEquals(2, shared.getSize(), "four floats are the header");
            shared.set(0, 9);
            assertEquals(9, segment.getAtIndex(ValueLayout.JAVA_FLOAT, 4));
            assertEquals(7, copy.get(4));
            assertThrows(IllegalArgumentException.class, () -> FloatArray.fromSegment(segment.asSlice(0, 7)));
            assertThrows(IllegalArgumentException.class, () -> FloatArray.fromSegmentShallow(segment.asSlice(0, 8)));
            assertThrows(IllegalArgumentException.class, () -> FloatArray.fromSegmentShallow(segment.asSlice(0, 18)));
        }
    }

    @Test
    void indicesAreChecked() {
        IntArray array = IntArray.fromElements(1, 2, 3);
        assertEquals(
                "index -1 is outside IntArray of 3 elements",
                assertThrows(IndexOutOfBoundsException.class, () -> array.get(-1))
                        .getMessage());
        assertThrows(IndexOutOfBoundsException.class, () -> array.set(3, 1));
        assertThrows(IllegalArgumentException.class, () -> new IntArray(-1));
        assertThrows(IllegalArgumentException.class, () -> array.slice(2, 2));
    }

    @Test
    void everyTypeKeepsItsExtremes() {
        assertArrayEquals(
                new int[] {Integer.MIN_VALUE, 5},
                IntArray.fromElements(Integer.MIN_VALUE, 5).toHeapArray());
        assertArrayEquals(
                new long[] {Long.MIN_VALUE, 5},
                LongArray.fromElements(Long.MIN_VALUE, 5).toHeapArray());
        assertArrayEquals(
                new short[] {-32768, 5},
                ShortArray.fromElements((short) -32768, (short) 5).toHeapArray());
        assertArrayEquals(
                new char[] {0xFFFF, 5},
                CharArray.fromElements((char) 0xFFFF, (char) 5).toHeapArray());
        assertArrayEquals(
                new byte[] {-128, 5},
                ByteArray.fromElements((byte) -128, (byte) 5).toHeapArray());
        assertArrayEquals(
                new byte[] {-128, 5},
                Int8Array.fromElements((byte) -128, (byte) 5).toHeapArray());
        assertArrayEquals(
                new double[] {1e-300, 5}, DoubleArray.fromElements(1e-300, 5).toHeapArray());
        LongArray longs = new LongArray(3);
        longs.init(-7);
        longs.set(1, Long.MAX_VALUE);
        assertArrayEquals(new long[] {-7, Long.MAX_VALUE, -7}, longs.toHeapArray());
        longs.clear();
        assertEquals(0, longs.get(1));
    }

    @Test
    void halvesRoundToNearestEven() {
        HalfFloatArray halves = new HalfFloatArray(3);
        halves.set(0, new HalfFloat(1 + 1f / 2048));
        halves.set(1, new HalfFloat(65504));
        halves.set(2, HalfFloat.add(new HalfFloat(1), new HalfFloat(2)));
        assertEquals(1, halves.get(0).getFloat32(), "halfway goes to the even neighbour");
        assertEquals(65504, halves.get(1).getFloat32());
        assertArrayEquals(new short[] {0x3C00, 0x7BFF, 0x4200}, halves.toShortArray());
        ByteArray bytes = new ByteArray(3);
        bytes.setHalfFloat(1, new HalfFloat(-2));
        assertEquals(-2, bytes.getHalfFloat(1).getFloat32(), "any byte may be the first");
        assertThrows(IndexOutOfBoundsException.class, () -> bytes.getHalfFloat(2));
    }

    @Test
    void arraysJoinAndSplit() {
        FloatArray joined = FloatArray.concat(FloatArray.fromElements(1, 2), FloatArray.fromElements(3));
        assertArrayEquals(new float[] {1, 2, 3}, joined.toHeapArray());
        FloatArray slice = joined.slice(1, 2);
        slice.set(0, 9);
        assertEquals(2, joined.get(1), "a slice is a copy");
        FloatBuffer buffer = FloatBuffer.wrap(new float[] {1, 2, 3}).position(1);
        assertArrayEquals(new float[] {2, 3}, FloatArray.fromFloatBuffer(buffer).toHeapArray());
    }
}
