package org.tornadodit.model.io.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process reads weights once, most often: what Java links at run time for that, a record's equals or a switch over
 * types, takes longer there than the work, 20 to 50 ms each.
 */
class FirstReadingTest {
    private static final Path CHECKPOINT =
            Path.of(System.getProperty("dit.root", ".."), "reference", "data", "sampling", "checkpoint.pt");

    /** A process that opens a checkpoint, reads all of it and hears of its checksums. */
    static final class Reading {
        public static void main(String[] arguments) {
            try (Checkpoint checkpoint = Checkpoints.open(Path.of(arguments[0]))) {
                List<String> names = List.copyOf(checkpoint.names());
                checkpoint.beginChecks(names);
                names.forEach(checkpoint::tensor);
                checkpoint.requireIntact();
            }
        }
    }

    @Test
    void nothingOfRecordsAndSwitchesIsLinked(@TempDir Path folder) throws Exception {
        Path loaded = folder.resolve("loaded");
        Path said = folder.resolve("said");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xlog:class+load:file=" + loaded,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Reading.class.getName(),
                        CHECKPOINT.toString())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the reading has not ended");
        } finally {
            process.destroyForcibly();
        }
        assertEquals(0, process.exitValue(), Files.readString(said));
        List<String> classes = Files.readAllLines(loaded, StandardCharsets.UTF_8);
        assertTrue(classes.stream().anyMatch(line -> line.contains(BackgroundChecks.class.getName())), "checked");
        assertEquals(
                List.of(),
                classes.stream()
                        .filter(line -> line.contains(" java.lang.runtime.") || line.contains("$$TypeSwitch"))
                        .toList());
    }
}
