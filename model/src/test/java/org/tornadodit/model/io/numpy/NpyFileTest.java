package org.tornadodit.model.io.numpy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.TestFiles;
import org.tornadodit.model.io.ZipWriter;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.tensor.DType;

class NpyFileTest {

    private static final float[] COUNT = {0, 1, 2, 3, 4, 5};

    @TempDir
    Path folder;

    @Test
    void readsWhatItWrites() throws IOException {
        Path file = folder.resolve("a.npy");
        NpyFile.write(file, Shape.of(2, 3), COUNT);
        assertArrayEquals(COUNT, NpyFile.read(file).floats());
        assertEquals(Shape.of(2, 3), NpyFile.read(file).shape());
        NpyFile.write(file, Shape.of(2), 0.1, -2);
        assertArrayEquals(new double[] {0.1, -2}, NpyFile.read(file).doubles());
        NpyFile.write(file, Shape.of(2), 7, -8);
        assertArrayEquals(new int[] {7, -8}, NpyFile.read(file).ints());
        NpyFile.write(file, Shape.of(), 1L << 40);
        assertArrayEquals(new long[] {1L << 40}, NpyFile.read(file).longs());
        NpyFile.write(file, Shape.of(0, 2), new float[0]);
        assertEquals(Shape.of(0, 2), NpyFile.read(file).shape());
        NpyFile.write(file, Shape.of(2), (byte) 255, (byte) 1);
        assertArrayEquals(new long[] {255, 1}, NpyFile.read(file).longs());
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(file), left.toList());
        }
    }

    @Test
    void writesTheBytesOfNumPy() throws IOException {
        // np.savez stores np.save's bytes: the header in the fixture is NumPy's own.
        NpyArray numpys = NpzFile.read(TestFiles.resource("stored.npz"))
                .values()
                .iterator()
                .next();
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        NpyFile.write(written, numpys);
        byte[] fixture = Files.readAllBytes(TestFiles.resource("stored.npz"));
        int start = new String(fixture, StandardCharsets.ISO_8859_1).indexOf("\u0093NUMPY");
        assertArrayEquals(
                written.toByteArray(),
                MemorySegment.ofArray(fixture).asSlice(start, written.size()).toArray(ValueLayout.JAVA_BYTE));
        assertEquals(Shape.of(1, 2, 2, 3), numpys.shape());
        assertEquals(DType.U8, numpys.dtype());
        assertArrayEquals(new long[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, numpys.longs());
    }

    @Test
    void givesColumnMajorArraysInRowMajorOrder() {
        NpyArray array = NpyFile.read(TestFiles.resource("fortran.npy"));
        assertEquals(Shape.of(2, 3), array.shape());
        assertArrayEquals(COUNT, array.floats());
    }

    @Test
    void readsCompressedNpz() {
        Map<String, NpyArray> arrays = NpzFile.read(TestFiles.resource("deflated.npz"));
        assertEquals(List.of("a", "b"), List.copyOf(arrays.keySet()));
        List<NpyArray> values = List.copyOf(arrays.values());
        assertArrayEquals(COUNT, values.get(0).floats());
        assertArrayEquals(new long[] {7}, values.get(1).longs());
    }

    @Test
    void readsTheNpzItWrites() throws IOException {
        Path file = folder.resolve("a.npz");
        Map<String, NpyArray> arrays = new LinkedHashMap<>();
        arrays.put("b", NpyFile.array(Shape.of(2, 3), COUNT));
        arrays.put("a", NpyFile.array(Shape.of(1), 3L));
        NpzFile.write(file, arrays);
        Map<String, NpyArray> read = NpzFile.read(file);
        assertEquals(List.of("b", "a"), List.copyOf(read.keySet()));
        assertArrayEquals(COUNT, List.copyOf(read.values()).getFirst().floats());
        byte[] first = Files.readAllBytes(file);
        NpzFile.write(file, arrays);
        assertArrayEquals(first, Files.readAllBytes(file));
    }

    @Test
    void keepsTheOldFileWhenWritingFails() throws IOException {
        Path file = folder.resolve("a.npy");
        NpyFile.write(file, Shape.of(6), COUNT);
        assertThrows(
                IOException.class,
                () -> AtomicFile.write(file, out -> {
                    out.write(1);
                    throw new IOException("disk full");
                }));
        assertArrayEquals(COUNT, NpyFile.read(file).floats());
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(file), left.toList());
        }
        assertThrows(IOException.class, () -> NpyFile.write(folder.resolve("no/such/a.npy"), Shape.of(6), COUNT));
    }

    @Test
    void readsOtherVersionsAndSpellings() {
        NpyArray python2 = parse(npy(2, "{\"shape\":(6L,),\"fortran_order\":False,\"descr\":\"<f4\"}", 24));
        assertArrayEquals(new float[6], python2.floats());
        assertEquals(
                DType.U8,
                parse(npy(3, "{'descr': '<u1', 'fortran_order': False, 'shape': (2,), }", 2))
                        .dtype());
        assertEquals(
                DType.BOOL,
                parse(npy(1, "{'descr': '|b1', 'fortran_order': True, 'shape': (), }", 1))
                        .dtype());
    }

    static Stream<Arguments> hostile() {
        return Stream.of(
                Arguments.of("expected a .npy file", new byte[] {1, 2, 3}),
                Arguments.of("expected version 1, 2 or 3, found 9", npy(9, "{}", 0)),
                Arguments.of("a header of at most", cutHeader()),
                Arguments.of("found one of 4294967295", hugeHeader()),
                Arguments.of("found 23 bytes", npy(1, dict("<f4", "(6,)"), 23)),
                Arguments.of("found 25 bytes", npy(1, dict("<f4", "(6,)"), 25)),
                Arguments.of("found 24 bytes", npy(1, dict("<f4", "(999999999999999999,)"), 24)),
                Arguments.of("an integer", npy(1, dict("<f4", "(99999999999999999999,)"), 24)),
                Arguments.of("2^63", npy(1, dict("<f4", "(4294967296, 4294967296)"), 24)),
                Arguments.of("an integer", npy(1, dict("<f4", "(-6,)"), 24)),
                Arguments.of("at most 32 dimensions", npy(1, dict("<f4", "(" + "1,".repeat(40) + ")"), 4)),
                Arguments.of("found >f4", npy(1, dict(">f4", "(6,)"), 24)),
                Arguments.of("found |O", npy(1, dict("|O", "(6,)"), 24)),
                Arguments.of("found <c8", npy(1, dict("<c8", "(6,)"), 48)),
                Arguments.of(
                        "structured", npy(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", 24)),
                Arguments.of("not all of them", npy(1, "{'descr': '<f4'}", 24)),
                Arguments.of("the key evil", npy(1, "{'evil': __import__('os').system('id')}", 24)),
                Arguments.of("a string", npy(1, "{descr: 1}", 24)),
                Arguments.of("True or False", npy(1, "{'fortran_order': 0}", 24)),
                Arguments.of("'{'", npy(1, "", 24)));
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void refuses(String expected, byte[] content) {
        String message = TestFiles.refusal(() -> parse(content));
        assertTrue(message.contains(expected), message);
    }

    @Test
    void refusesHostileNpz() {
        byte[] npy = npy(1, dict("<f4", "(6,)"), 24);
        assertRefused(
                "found one of", new ZipWriter(false).entry("a.npy", cutHeader()).end());
        assertRefused("entries *.npy", new ZipWriter(false).entry("a.txt", npy).end());
        assertRefused(
                "compression method 12",
                new ZipWriter(false).entry("a.npy", npy, 12, npy.length).end());
        byte[] bomb = deflatedZeros(10_000_000);
        assertRefused(
                "bytes inflated, found more",
                new ZipWriter(true)
                        .entry("a.npy", bomb, 8, bomb.length, 1L << 40)
                        .end());
        assertRefused(
                "expected a .npy file",
                new ZipWriter(true).entry("a.npy", bomb, 8, bomb.length, 1000).end());
        assertRefused(
                "bytes inflated, found",
                new ZipWriter(true)
                        .entry("a.npy", bomb, 8, bomb.length, 1_000_000_000)
                        .end());
        assertRefused(
                "zip entry a.npy",
                new ZipWriter(false).entry("a.npy", npy, 8, npy.length).end());
        byte[] tail = new ZipWriter(false).entry("a.npy", npy).end();
        for (int length = 0; length < tail.length; length++) {
            MemorySegment cut = MemorySegment.ofArray(tail).asSlice(0, length);
            assertThrows(CheckpointException.class, () -> NpzFile.parse(Path.of("x.npz"), cut));
        }
    }

    private static byte[] deflatedZeros(int size) {
        Deflater deflater = new Deflater(9, true);
        deflater.setInput(new byte[size]);
        deflater.finish();
        byte[] deflated = new byte[size];
        int length = deflater.deflate(deflated);
        deflater.end();
        return Arrays.copyOf(deflated, length);
    }

    private static void assertRefused(String expected, byte[] zip) {
        String message = TestFiles.refusal(() -> NpzFile.parse(Path.of("x.npz"), MemorySegment.ofArray(zip)));
        assertTrue(message.contains(expected), message);
    }

    private static NpyArray parse(byte[] content) {
        return NpyFile.parse(Path.of("x.npy"), "", MemorySegment.ofArray(content));
    }

    private static String dict(String descr, String shape) {
        return "{'descr': '%s', 'fortran_order': False, 'shape': %s, }".formatted(descr, shape);
    }

    private static byte[] npy(int version, String header, int dataSize) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
        out.writeBytes(new byte[] {(byte) header.length(), (byte) (header.length() >> 8)});
        if (version > 1) {
            out.writeBytes(new byte[2]);
        }
        out.writeBytes(header.getBytes(StandardCharsets.UTF_8));
        out.writeBytes(new byte[dataSize]);
        return out.toByteArray();
    }

    private static byte[] cutHeader() {
        byte[] npy = npy(1, "{}", 0);
        npy[8] = 100;
        return npy;
    }

    private static byte[] hugeHeader() {
        byte[] npy = npy(2, "{}", 0);
        npy[8] = npy[9] = npy[10] = npy[11] = -1;
        return npy;
    }
}
