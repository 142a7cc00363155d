package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputFileTest {

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @Test
    void replacesTheOldFileWhole() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "old");
        OutputFile.write(file, part -> Files.writeString(part, "new"));
        assertEquals("new", Files.readString(file));
        assertEquals(List.of("a.txt"), names());
    }

    @Test
    void leavesTheOldFileAndNoPartWhenWritingFails() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "old");
        assertThrows(
                IOException.class,
                () -> OutputFile.write(file, part -> {
                    Files.writeString(part, "ha");
                    throw new IOException("disk full");
                }));
        assertEquals("old", Files.readString(file));
        assertEquals(List.of("a.txt"), names());
    }

    @Test
    void refusesAMissingFolderAndAFolderInPlaceOfAFile() {
        IOException missing =
                assertThrows(IOException.class, () -> OutputFile.requireWritable(folder.resolve("no/sample.png")));
        assertTrue(missing.toString().contains("create it first"), missing.toString());
        IOException isFolder = assertThrows(IOException.class, () -> OutputFile.requireWritable(folder));
        assertTrue(isFolder.toString().contains("is a folder"), isFolder.toString());
    }

    @Test
    void probingLeavesNothingBehind() throws IOException {
        OutputFile.requireWritable(folder.resolve("sample.png"));
        assertEquals(List.of(), names());
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
