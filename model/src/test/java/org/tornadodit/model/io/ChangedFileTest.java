package org.tornadodit.model.io;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.MappedFiles;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.io.tensor.TensorSpec;

/** Weights that change while they are read: what was read of them is not to be trusted. */
class ChangedFileTest {
    private static final Path SAMPLING = Path.of(System.getProperty("dit.root", ".."), "reference", "data", "sampling");

    @TempDir
    Path folder;

    private Path copy() throws IOException {
        Path file = folder.resolve("checkpoint.pt");
        Files.copy(SAMPLING.resolve("checkpoint.pt"), file);
        return file;
    }

    @Test
    void aFileThatStaysIsWell() throws IOException {
        try (Checkpoint checkpoint = Checkpoints.open(copy())) {
            assertDoesNotThrow(checkpoint::requireIntact);
        }
    }

    @Test
    void aFileThatIsWrittenInPlaceIsNoticed() throws IOException {
        Path file = copy();
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            FileTime before = Files.getLastModifiedTime(file);
            try (RandomAccessFile writer = new RandomAccessFile(file.toFile(), "rw")) {
                writer.seek(Files.size(file) / 2);
                writer.write(1);
            }
            Files.setLastModifiedTime(file, FileTime.fromMillis(before.toMillis() + 2000));
            assertNamed(file, assertThrows(CheckpointException.class, checkpoint::requireIntact));
        }
    }

    @Test
    void aFileThatIsTruncatedIsNoticed() throws IOException {
        Path file = copy();
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            try (RandomAccessFile writer = new RandomAccessFile(file.toFile(), "rw")) {
                writer.setLength(4096);
            }
            assertNamed(file, assertThrows(CheckpointException.class, checkpoint::requireIntact));
        }
    }

    /** Pages that are gone: SIGBUS, which Java makes an InternalError of, in each reader and wherever the file ends. */
    @Test
    void readingPagesThatAreGoneEndsInWhatHappened() throws IOException {
        DitConfig config = DitConfig.fromJson(SAMPLING.resolve("config.json"));
        int gone = 0;
        for (int size : new int[] {0, 1, 4096, 8192, 65_536, 100_000, 700_000}) {
            Path file = copy();
            try (Checkpoint checkpoint = Checkpoints.open(file)) {
                truncate(file, size);
                try {
                    DitWeights.load(checkpoint, config);
                    for (TensorSpec spec : DitWeights.specs(config)) {
                        checkpoint.tensor(spec.name()).toArray();
                    }
                } catch (InternalError expected) {
                    gone++;
                }
                assertNamed(file, assertThrows(CheckpointException.class, checkpoint::requireIntact));
            }
            Files.delete(file);
        }
        assertTrue(gone >= 6, "only " + gone + " ran into a page that was gone");
    }

    @Test
    void arraysAreRefusedWhenTheirFileChangesMeanwhile() throws IOException {
        Path file = folder.resolve("array.npy");
        NpyFile.write(file, Shape.of(100_000), new float[100_000]);
        assertEquals(Shape.of(100_000), NpyFile.read(file).shape());
        for (int size : new int[] {0, 4096, 100_000}) {
            CheckpointException cut = assertThrows(
                    CheckpointException.class,
                    () -> MappedFiles.parse(file, content -> {
                        truncate(file, size);
                        return content.toArray(ValueLayout.JAVA_BYTE).length;
                    }));
            assertNamed(file, cut);
            NpyFile.write(file, Shape.of(100_000), new float[100_000]);
        }
        CheckpointException longer = assertThrows(
                CheckpointException.class,
                () -> MappedFiles.parse(file, content -> {
                    truncate(file, 500_000);
                    return content.byteSize();
                }));
        assertNamed(file, longer);
        CheckpointException refused = assertThrows(
                CheckpointException.class,
                () -> MappedFiles.parse(file, content -> {
                    throw new CheckpointException("another reason");
                }));
        assertEquals("another reason", refused.getMessage());
    }

    private static void truncate(Path file, int size) {
        try (RandomAccessFile writer = new RandomAccessFile(file.toFile(), "rw")) {
            writer.setLength(size);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void assertNamed(Path file, CheckpointException thrown) {
        String message = String.valueOf(thrown.getMessage());
        assertTrue(message.startsWith(file + ": the file changed while it was read"), message);
        assertEquals(1, message.lines().count(), message);
    }
}
