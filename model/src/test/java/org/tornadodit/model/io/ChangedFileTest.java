package org.tornadodit.model.io;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.CheckpointException;

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

    private static void assertNamed(Path file, CheckpointException thrown) {
        String message = String.valueOf(thrown.getMessage());
        assertTrue(message.contains(file.getFileName().toString()) && message.indexOf('\n') < 0, message);
    }
}
