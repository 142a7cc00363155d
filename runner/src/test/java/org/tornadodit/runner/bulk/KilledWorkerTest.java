package org.tornadodit.runner.bulk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.runner.CommandLineRun;
import org.tornadodit.runner.terminal.ExitCode;

/**
 * Workers that end in ways that no program hears of. {@code -Ddit.bulk.model=demo -Ddit.bulk.pictures=2000 -Ddit.bulk.kills=20}
 * is the long run, of half an hour on two cores.
 */
class KilledWorkerTest {
    private static final String MODEL = System.getProperty("dit.bulk.model", "tiny");
    private static final int PICTURES = Integer.getInteger("dit.bulk.pictures", 60);
    private static final int KILLS = Integer.getInteger("dit.bulk.kills", 3);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    private List<Object> words(Path output) throws IOException {
        List<Object> words = new ArrayList<>(List.of("bulk"));
        if (MODEL.equals("tiny")) {
            TinyModelFiles model = TinyModelFiles.write(Files.createTempDirectory(folder, "model"));
            words.addAll(model.command(
                    List.of(), "--num-sampling-steps", BulkRuns.STEPS_TO_BE_KILLED_IN, "--per-proc-batch-size", 1));
        } else {
            words.addAll(List.of("--model", MODEL, "--num-sampling-steps", 2));
        }
        words.addAll(List.of("--device", "cpu", "--num-samples", PICTURES, "--output", output, "--quiet"));
        return words;
    }

    private static Process start(Path log, List<Object> words, String... jvm) throws IOException {
        List<String> command = new ArrayList<>(List.of(jvm));
        command.addAll(CommandLineRun.command(List.of("-XX:-UsePerfData"), words));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    private static int pictures(Path output) throws IOException {
        if (!Files.isDirectory(output)) {
            return 0;
        }
        return new RunFolder(output).count();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void killsAtRandomMomentsDoNotShow() throws Exception {
        Path whole = folder.resolve("whole");
        CommandLineRun undisturbed = CommandLineRun.of(words(whole).toArray());
        assertEquals(ExitCode.DONE, undisturbed.exitCode(), undisturbed.err());
        assertEquals(ExitCode.DONE, BulkRuns.collect(whole).exitCode());

        long seed = Long.getLong("dit.bulk.seed", System.nanoTime());
        System.out.println("moments of the kills are of the seed " + seed);
        Random random = new Random(seed);
        Path killed = folder.resolve("killed");
        List<Object> words = words(killed);
        int hits = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            Process worker = start(folder.resolve("log"), words);
            // Anywhere: between two pictures, or while it starts and reads what is there.
            int target = (int) (PICTURES * (kill + random.nextDouble()) / (KILLS + 1));
            boolean early = pictures(killed) >= target;
            while (worker.isAlive() && pictures(killed) < target) {
                Thread.sleep(5);
            }
            boolean ended = worker.waitFor(random.nextInt(early ? 2500 : 100), TimeUnit.MILLISECONDS);
            worker.destroyForcibly(); // SIGKILL
            assertTrue(worker.waitFor(60, TimeUnit.SECONDS));
            hits += ended ? 0 : 1;
            System.out.printf("kill %d: %d pictures there%n", kill + 1, pictures(killed));
        }
        assertTrue(hits > KILLS / 2, hits + " of the workers were killed before their end");
        CommandLineRun last = CommandLineRun.of(words.toArray());
        assertEquals(ExitCode.DONE, last.exitCode(), last.err());
        assertEquals(ExitCode.DONE, BulkRuns.collect(killed).exitCode());
        assertEquals(-1, Files.mismatch(folder.resolve("whole.npz"), folder.resolve("killed.npz")));
        try (Stream<Path> files = Files.list(killed)) {
            assertFalse(files.anyMatch(file -> file.toString().endsWith(".part")), "half-written files are left");
        }
        System.out.println(last.out());
    }

    /** A limit of the size of files ends a write as a full disk does. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsALineAndNothingIsLost() throws Exception {
        Path output = folder.resolve("run");
        TinyModelFiles model = TinyModelFiles.writeForTensorCores(Files.createDirectory(folder.resolve("model")));
        List<Object> words = model.command(
                List.of("bulk"), "--num-sampling-steps", 1, "--device", "cpu", "--num-samples", 4, "--output", output);
        Path log = folder.resolve("log");
        // In blocks of 512 bytes: the manifest fits, a picture does not.
        Process worker =
                start(log, words, "sh", "-c", "{ (ulimit -f 2; exec \"$@\") 2>&1; echo exit $?; } | cat", "sh");
        assertTrue(worker.waitFor(60, TimeUnit.SECONDS));
        List<String> lines = Files.readAllLines(log).stream()
                .filter(line -> line.startsWith("dit: "))
                .toList();
        assertEquals(1, lines.size(), Files.readString(log));
        assertTrue(lines.getFirst().matches("dit: cannot write .*/00000[0-3]\\.png: File too large"), lines.getFirst());
        assertTrue(Files.readString(log).endsWith("exit 1\n"), Files.readString(log));
        assertEquals(0, pictures(output));
        try (Stream<Path> files = Files.list(output)) {
            assertArrayEquals(
                    new String[] {".shards", "manifest.json"},
                    files.map(file -> file.getFileName().toString()).sorted().toArray());
        }
        CommandLineRun again = CommandLineRun.of(words.toArray());
        assertEquals(ExitCode.DONE, again.exitCode(), again.err());
        assertEquals(4, pictures(output));
    }
}
