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
