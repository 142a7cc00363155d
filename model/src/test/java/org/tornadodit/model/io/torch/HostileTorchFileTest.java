package org.tornadodit.model.io.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tornadodit.model.io.PickleWriter;
import org.tornadodit.model.io.TestFiles;
import org.tornadodit.model.io.ZipWriter;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.tensor.StoredTensor;

/** Torch files that lie, claim too much, or call what they must not. */
@Timeout(120)
class HostileTorchFileTest {

    private static final Path FILE = Path.of("x.pt");
    private static final long[] SIZE = {2, 3};
    private static final long[] STRIDE = {3, 1};

    @Test
    void readsAHandMadeFile() {
        byte[] pickle = state(writer -> writer.tensor("FloatStorage", 6, 1, new long[] {1}, new long[] {1}));
        assertArrayEquals(new byte[] {0, 0, (byte) 0x80, 0x3f}, only(parse(pickle)));
    }

    @Test
    void findsDataInZip64Archives() {
        byte[] pickle = state(writer -> writer.tensor("ByteStorage", 6, 0, SIZE, STRIDE));
        byte[] data = {9, 8, 7, 6, 5, 4};
        byte[] zip = new ZipWriter(true)
                .entry("archive/data.pkl", pickle)
                .entry("archive/data/0", data)
                .end();
        assertArrayEquals(data, only(TorchFile.parse(FILE, MemorySegment.ofArray(zip))));
    }

    private static byte[] only(Map<String, StoredTensor> tensors) {
        assertEquals(Set.of("w"), tensors.keySet());
        return tensors.values().iterator().next().bytes().toArray(ValueLayout.JAVA_BYTE);
    }

    interface Body {
        void write(PickleWriter writer);
    }

    private static byte[] state(Body value) {
        PickleWriter writer = new PickleWriter();
        writer.op('}').text("w");
        value.write(writer);
        return writer.op('s').end();
    }

    private static Map<String, StoredTensor> parse(byte[] pickle) {
        return TorchFile.parse(FILE, MemorySegment.ofArray(ZipWriter.torch(pickle)));
    }

    static Stream<Arguments> hostile() {
        return Stream.of(
                // Globals
                refused(
                        "posix.system",
                        w -> w.global("posix", "system").op('(').text("id").op('t', 'R')),
                refused(
                        "builtins.eval",
                        w -> w.text("builtins").text("eval").raw(0x93).op(')', 'R')),
                refused("os.system", w -> w.text("os").text("system").raw(0x93)),
                refused("torch.load", w -> w.global("torch", "load")),
                refused("torch.ComplexFloatStorage", w -> w.tensor("ComplexFloatStorage", 3, 0, SIZE, STRIDE)),
                refused("argparse.Action", w -> w.global("argparse", "Action")),
                refused("datetime.datetime", w -> w.global("datetime", "datetime")),
                refused(
                        "decimal.Decimal",
                        w -> w.global("decimal", "Decimal")
                                .text("1e999999999")
                                .raw(0x85)
                                .op('R')),
                refused("a?b.c", w -> w.global("a\u001bb", "c")),
                refused(
                        "call of torch.FloatStorage",
                        w -> w.global("torch", "FloatStorage").op(')', 'R')),
                refused("call of a value", w -> w.text("x").op(')', 'R')),
                refused("opcode 0x69 ('i')", w -> w.op('(').op('i')),
                refused("opcode 0x6f ('o')", w -> w.op('(').op('o')),
                refused("opcode 0x82", w -> w.raw(0x82, 1)),
                refused("opcode 0x92", w -> w.raw(0x92)),
                refused("opcode 0x91", w -> w.op('(').raw(0x91)),
                refused("opcode 0x32 ('2')", w -> w.op('2')),
                refused("name of more than", w -> w.global("a".repeat(300), "b")),
                // Claims
                refused("value of 2147483647 bytes", w -> w.op('X').int32(Integer.MAX_VALUE)),
                refused("value of 4294967295 bytes", w -> w.op('X').int32(-1)),
                refused("value of 4294967295 bytes", w -> w.op('B').int32(-1)),
                refused("value of 255 bytes", w -> w.raw(0x8a, 255)),
                refused("opcode 0x8b", w -> w.raw(0x8b).int32(Integer.MAX_VALUE)),
                refused("opcode 0x8d", w -> w.raw(0x8d).integer(1L << 60)),
                refused("the end", w -> w.op('X').int32(1000)),
                // Structure
                refused("malformed", w -> w.op('t')),
                refused("dict key", w -> w.op('(', '(', '(')),
                refused("found: invalid memo key", w -> w.op('h').raw(7)),
                refused("dict key", w -> w.op('}', ']', 'N', 's')),
                refused("items set on another", w -> w.op(']', 'N', 'N', 's')),
                refused("items appended to another", w -> w.op('}', 'N', 'a')),
                refused("state for another", w -> w.op(']', '}', 'b')),
                refused("no tuple", w -> w.global("collections", "OrderedDict").op(']', 'R')),
                refused("reference to something else", w -> w.op(')', 'Q')),
                refused("tensor w: expected a tensor, found a list of 1", HostileTorchFileTest::cyclicList),
                refused("tensor w: expected a tensor, found a tuple of 200", HostileTorchFileTest::memoBomb),
                refused("tensor w: expected a tensor, found a list of 1", HostileTorchFileTest::deep),
                refused("opcodes", HostileTorchFileTest::endless),
                // Tensors
                refused(
                        "tensor w: expected 7 elements of F32 in its storage, found 24 bytes",
                        w -> w.tensor("FloatStorage", 7, 0, SIZE, STRIDE)),
                refused("tensor w: expected -1 elements", w -> w.tensor("FloatStorage", -1, 0, SIZE, STRIDE)),
                refused(
                        "tensor w: expected 4611686018427387910 elements",
                        w -> w.tensor("FloatStorage", (1L << 62) + 6, 0, SIZE, STRIDE)),
                refused("from element 1", w -> w.tensor("FloatStorage", 6, 1, SIZE, STRIDE)),
                refused("from element -1", w -> w.tensor("FloatStorage", 6, -1, SIZE, STRIDE)),
                refused(
                        "from element 9223372036854775807",
                        w -> w.tensor("FloatStorage", 6, Long.MAX_VALUE, SIZE, STRIDE)),
                refused("strides [3, 2]", w -> w.tensor("FloatStorage", 6, 0, SIZE, new long[] {3, 2})),
                refused("negative stride", w -> w.tensor("FloatStorage", 6, 5, SIZE, new long[] {-3, -1})),
                refused("negative size", w -> w.tensor("FloatStorage", 6, 0, new long[] {-2, -3}, STRIDE)),
                refused("2^63", w -> w.tensor("FloatStorage", 6, 0, new long[] {1L << 40, 1L << 40}, STRIDE)),
                refused("2^63", w -> w.tensor("FloatStorage", 6, 0, SIZE, new long[] {Long.MAX_VALUE, 2})),
                refused(
                        "at most 1073741824 elements expanded from a storage of 6",
                        w -> w.tensor("FloatStorage", 6, 0, new long[] {1L << 40}, new long[] {0})),
                refused("33 dimensions, more than 32", w -> w.tensor("FloatStorage", 6, 0, new long[33], new long[33])),
                refused("strides [1] for shape (2, 3)", w -> w.tensor("FloatStorage", 6, 0, SIZE, new long[] {1})));
    }

    private static Arguments refused(String expected, Body body) {
        return Arguments.of(expected, body);
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void refuses(String expected, Body body) {
        byte[] pickle = state(body);
        String message = Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(60), () -> TestFiles.refusal(() -> parse(pickle)));
        assertTrue(message.contains(expected), message);
    }

    private static void cyclicList(PickleWriter writer) {
        writer.op(']', 'q').raw(0).op('h').raw(0).op('a');
    }

    /** Each list holds the one before twice: 2^200 leaves for whoever walks it. */
    private static void memoBomb(PickleWriter writer) {
        writer.op('(', ']', 'q').raw(0);
        for (int i = 1; i < 200; i++) {
            writer.op(']', '(', 'h').raw(i - 1).op('h').raw(i - 1).op('e', 'q').raw(i);
        }
        writer.op('t');
    }

    private static void deep(PickleWriter writer) {
        for (int i = 0; i < 300_000; i++) {
            writer.op(']');
        }
        for (int i = 1; i < 300_000; i++) {
            writer.op('a');
        }
    }

    private static void endless(PickleWriter writer) {
        for (int i = 0; i < 2_000_001; i++) {
            writer.op('N');
        }
    }

    /** The library trims a list after each append: quadratic when the file chooses how often. */
    @Test
    void appendsInLinearTime() {
        PickleWriter writer = new PickleWriter().op(']');
        for (int i = 0; i < 600_000; i++) {
            writer.op('(', 'N', 'e');
        }
        byte[] pickle = writer.end();
        String message = Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(60), () -> TestFiles.refusal(() -> parse(pickle)));
        assertTrue(message.contains("a list of 600000"), message);
    }

    @Test
    void refusesArchivesThatTorchDoesNotWrite() throws IOException {
        byte[] pickle = state(w -> w.tensor("FloatStorage", 6, 0, SIZE, STRIDE));
        assertRefused("no entry", "entry archive/data/0, found none", zip().entry("archive/data.pkl", pickle));
        assertRefused("no pickle", "one data.pkl", zip().entry("archive/data/0", pickle));
        assertRefused(
                "two pickles", "found 2", zip().entry("a/data.pkl", pickle).entry("b/data.pkl", pickle));
        assertRefused(
                "one entry twice",
                "two entries",
                zip().entry("a/data.pkl", pickle).entry("a/data.pkl", pickle));
        assertRefused("compressed", "compression method 8", zip().entry("a/data.pkl", pickle, 8, pickle.length));
        assertRefused("too long", "found " + (pickle.length + 78), zip().entry("a/data.pkl", pickle, 0, 1_000_000));
        assertRefused(
                "big endian",
                "byteorder: expected little, found big",
                zip().entry("a/data.pkl", pickle).entry("a/byteorder", new byte[] {'b', 'i', 'g'}));
        assertRefused(
                "too long in zip64",
                "9223372036854775807",
                new ZipWriter(true).entry("a/data.pkl", pickle, 0, Long.MAX_VALUE));
        Path compressed = Files.createTempFile("compressed", ".pt");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(compressed))) {
            zip.putNextEntry(new ZipEntry("archive/data.pkl"));
            zip.write(pickle);
        }
        String message = TestFiles.refusal(() -> Checkpoints.open(compressed));
        assertTrue(message.contains("compression method 8"), message);
        Files.delete(compressed);
    }

    private static ZipWriter zip() {
        return new ZipWriter(false);
    }

    private static void assertRefused(String what, String expected, ZipWriter zip) {
        String message = TestFiles.refusal(() -> TorchFile.parse(FILE, MemorySegment.ofArray(zip.end())));
        assertTrue(message.contains(expected), what + ": " + message);
    }

    @Test
    void refusesEveryTruncation() throws IOException {
        byte[] whole = Files.readAllBytes(TestFiles.resource("training.pt"));
        for (int length = 0; length < whole.length; length++) {
            MemorySegment cut = MemorySegment.ofArray(whole).asSlice(0, length);
            Assertions.assertThrows(CheckpointException.class, () -> TorchFile.parse(FILE, cut), "length " + length);
        }
    }

    @Test
    void survivesChangedBytes() throws IOException {
        long seed = 20_261_122;
        Random random = new Random(seed);
        byte[] whole = Files.readAllBytes(TestFiles.resource("views.pt"));
        int refused = 0;
        for (int trial = 0; trial < 4_000; trial++) {
            byte[] changed = whole.clone();
            for (int i = 0; i <= trial % 4; i++) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
            }
            try {
                TorchFile.parse(FILE, MemorySegment.ofArray(changed))
                        .values()
                        .forEach(tensor -> tensor.copyTo(MemorySegment.ofArray(
                                new float[(int) tensor.shape().elements()])));
            } catch (CheckpointException expected) {
                refused++;
            } catch (RuntimeException escaped) {
                throw new AssertionError("seed " + seed + ", trial " + trial, escaped);
            }
        }
        assertTrue(refused > 200, "only " + refused + " refused: seed " + seed);
    }
}
