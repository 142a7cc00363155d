package org.tornadodit.model.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.ZipIndex;
import org.tornadodit.model.io.numpy.NpzFile;
import org.tornadodit.model.io.tensor.StoredTensor;
import org.tornadodit.model.io.torch.TorchFile;

/** Bits that flipped on the way are noticed where a checksum tells; expanded tensors and bounds of pickles beside. */
class DamagedFileTest {

    @TempDir
    Path folder;

    @Test
    void noticesEveryFlippedBitOfAStorage() throws Exception {
        byte[] sound = ZipWriter.torch(tensor("w", List.of(6L), List.of(1L)));
        int start = indexOf(sound, new byte[] {0, 0, (byte) 0x80, 0x3f}) - 4;
        for (int bit = 0; bit < 24 * 8; bit++) {
            byte[] flipped = sound.clone();
            flipped[start + bit / 8] ^= (byte) (1 << bit % 8);
            Path file = Files.write(folder.resolve("x.pt"), flipped);
            try (Checkpoint checkpoint = Checkpoints.open(file)) {
                assertEquals(Shape.of(6), checkpoint.shape("w"));
                refusal("archive/data/0: the file is damaged", () -> checkpoint.tensor("w"));
            }
        }
        Path file = Files.write(folder.resolve("x.pt"), sound);
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            assertEquals(5, checkpoint.tensor("w").get(5));
        }
    }

    @Test
    void noticesAFlippedBitOfThePickle() {
        byte[] file = ZipWriter.torch(tensor("w", List.of(6L), List.of(1L)));
        file[indexOf(file, "storage".getBytes(java.nio.charset.StandardCharsets.UTF_8))] ^= 1;
        refusal("data.pkl: the file is damaged", () -> TorchFile.parse(folder, MemorySegment.ofArray(file)));
    }

    /** As torch.save leaves files that are to have none. */
    @Test
    void readsFilesWithoutChecksums() {
        byte[] floats = new byte[24];
        byte[] pickle = tensor("w", List.of(6L), List.of(1L));
        byte[] file = new ZipWriter(false)
                .entry("archive/data.pkl", pickle, 0, pickle.length, pickle.length, 0)
                .entry("archive/data/0", floats, 0, 24, 24, 0)
                .end();
        StoredTensor tensor = only(TorchFile.parse(folder, MemorySegment.ofArray(file)));
        assertEquals(Shape.of(6), tensor.shape());
        tensor.check().run();
    }

    @Test
    void noticesAFlippedBitOfAnArray() throws Exception {
        for (String name : List.of("stored.npz", "deflated.npz")) {
            byte[] file = Files.readAllBytes(TestFiles.resource(name));
            int crc = indexOf(file, new byte[] {'P', 'K', 1, 2}) + 16;
            file[crc] ^= 1;
            refusal("the file is damaged", () -> NpzFile.parse(folder, MemorySegment.ofArray(file)));
        }
    }

    @Test
    void noticesEveryFlippedBitOfStoredAndDeflatedValues() throws Exception {
        for (String name : List.of("stored.npz", "deflated.npz")) {
            byte[] sound = Files.readAllBytes(TestFiles.resource(name));
            int local = indexOf(sound, new byte[] {'P', 'K', 3, 4});
            int extra = Byte.toUnsignedInt(sound[local + 28]);
            int data = local + 30 + Byte.toUnsignedInt(sound[local + 26]) + extra;
            ZipIndex.Entry entry = ZipIndex.read(folder, MemorySegment.ofArray(sound))
                    .values()
                    .iterator()
                    .next();
            int size = (int) entry.data().byteSize();
            // The last byte of what is stored is a value; deflate's last may be padding, so the middle.
            int at = data + (entry.isStored() ? size - 1 : size / 2);
            for (int bit = 0; bit < 8; bit++) {
                byte[] flipped = sound.clone();
                flipped[at] ^= (byte) (1 << bit);
                CheckpointException thrown = assertThrows(
                        CheckpointException.class, () -> NpzFile.parse(folder, MemorySegment.ofArray(flipped)));
                assertTrue(
                        !entry.isStored() || String.valueOf(thrown.getMessage()).contains("damaged"), name);
            }
        }
    }

    /** Two directory entries of the same bytes would be unpacked twice; many, to more than any file has. */
    @Test
    void refusesEntriesThatOverlap() {
        byte[] file = ZipWriter.torch(tensor("w", List.of(6L), List.of(1L)));
        int first = indexOf(file, new byte[] {'P', 'K', 1, 2});
        int second = first + 46 + "archive/data.pkl".length();
        assertEquals('P', file[second]);
        System.arraycopy(file, first + 42, file, second + 42, 4); // the local header's offset
        System.arraycopy(file, first + 16, file, second + 16, 12); // checksum and sizes
        refusal("entries overlap", () -> TorchFile.parse(folder, MemorySegment.ofArray(file)));
    }

    @Test
    void refusesADictWithAKeyTwice() {
        byte[] pickle = new PickleWriter()
                .op('}', '(')
                .text("w")
                .tensor("FloatStorage", 6, 0, new long[] {6}, new long[] {1})
                .text("w")
                .tensor("FloatStorage", 6, 1, new long[] {5}, new long[] {1})
                .op('u')
                .end();
        refusal("found the key w twice", () -> TorchFile.parse(folder, MemorySegment.ofArray(ZipWriter.torch(pickle))));
    }

    /** 195 KB that took 14 s: a memoised list, walked again each time that it is named. */
    @Test
    void boundsTheTimeOfAPickle() {
        PickleWriter lists = new PickleWriter().op(']').raw('q', 0).op('(');
        for (int i = 0; i < 10_000; i++) {
            lists.text("k" + i).op('N').raw(0x86);
        }
        lists.op('e').global("collections", "OrderedDict").raw('q', 1);
        for (int i = 0; i < 14_000; i++) {
            lists.raw('h', 1).raw('h', 0).raw(0x85).op('R');
        }
        byte[] file = ZipWriter.torch(lists.end());
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        refusal("walks over more than", () -> TorchFile.parse(folder, MemorySegment.ofArray(file)));
        double seconds = (threads.getCurrentThreadCpuTime() - start) / 1e9;
        assertTrue(file.length > 195_000 && seconds < 1, "%d bytes took %.2f s".formatted(file.length, seconds));
    }

    @Test
    void readsExpandedTensors() {
        byte[] file = ZipWriter.torch(tensor("w", List.of(1000L, 3L), List.of(0L, 2L)));
        StoredTensor tensor = only(TorchFile.parse(folder, MemorySegment.ofArray(file)));
        float[] values = new float[3000];
        tensor.copyTo(MemorySegment.ofArray(values));
        for (int i = 0; i < values.length; i++) {
            assertEquals(2 * (i % 3), values[i]);
        }
    }

    /** 130 KB that would walk over 10^10 elements. */
    @Test
    void boundsTheWorkOfAPickle() {
        PickleWriter lists = new PickleWriter().op(']').raw('q', 0).op('(');
        for (int i = 0; i < 20_000; i++) {
            lists.text("k" + i).op('N').raw(0x86);
        }
        lists.op('e').global("collections", "OrderedDict").raw('q', 1);
        for (int i = 0; i < 20_000; i++) {
            lists.raw('h', 1).raw('h', 0).raw(0x85).op('R');
        }
        byte[] file = ZipWriter.torch(lists.end());
        assertTimeoutPreemptively(
                Duration.ofSeconds(60),
                () -> refusal("walks over more than", () -> TorchFile.parse(folder, MemorySegment.ofArray(file))));
    }

    private static byte[] tensor(String name, List<Long> sizes, List<Long> strides) {
        long[] shape = sizes.stream().mapToLong(Long::longValue).toArray();
        long[] steps = strides.stream().mapToLong(Long::longValue).toArray();
        return new PickleWriter()
                .op('}', '(')
                .text(name)
                .tensor("FloatStorage", 6, 0, shape, steps)
                .op('u')
                .end();
    }

    private static StoredTensor only(Map<String, StoredTensor> tensors) {
        assertEquals(Set.of("w"), tensors.keySet());
        return tensors.values().iterator().next();
    }

    private static void refusal(String message, Runnable read) {
        String found = String.valueOf(
                assertThrows(CheckpointException.class, read::run).getMessage());
        assertTrue(found.contains(message), found);
    }

    private static int indexOf(byte[] bytes, byte[] part) {
        for (int i = 0; i + part.length <= bytes.length; i++) {
            if (java.util.Arrays.equals(bytes, i, i + part.length, part, 0, part.length)) {
                return i;
            }
        }
        throw new AssertionError("not there");
    }
}
