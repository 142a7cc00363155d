package org.tornadodit.runner.bulk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.runner.terminal.PermanentException;

/** Whose a folder is where several workers begin at once. */
@Timeout(120)
class RunFolderTest {
    private static final int TRIES = 300;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    private static RunManifest manifest(int seed) {
        return new RunManifest(Map.of(
                "format", "tornado-dit bulk 1", "num-samples", "8", "image-size", "256", "seed", String.valueOf(seed)));
    }

    /** Starts when another does; whether the folder is its. */
    private static CompletableFuture<Boolean> claim(RunFolder run, RunManifest manifest, CyclicBarrier start) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        start.await(10, TimeUnit.SECONDS);
                        run.claim(manifest);
                        return true;
                    } catch (PermanentException anothers) {
                        return false;
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                },
                task -> Thread.ofPlatform().start(task)); // the common pool may have one thread
    }

    @Test
    void ofTwoRunsOneHasTheFolder() throws Exception {
        CyclicBarrier start = new CyclicBarrier(2);
        for (int i = 0; i < TRIES; i++) {
            RunFolder run = new RunFolder(Files.createDirectory(folder.resolve(String.valueOf(i))));
            CompletableFuture<Boolean> first = claim(run, manifest(1), start);
            CompletableFuture<Boolean> second = claim(run, manifest(2), start);
            List<Boolean> claimed = List.of(first.get(), second.get());
            boolean firsts = RunManifest.read(run.manifest()).equals(manifest(1));
            assertEquals(List.of(firsts, !firsts), claimed, "try " + i);
            try (var files = Files.list(run.path())) {
                assertEquals(List.of(run.manifest()), files.toList(), "nothing else is left");
            }
        }
    }

    @Test
    void workersOfOneRunShareIt() throws Exception {
        CyclicBarrier start = new CyclicBarrier(2);
        for (int i = 0; i < 50; i++) {
            RunFolder run = new RunFolder(Files.createDirectory(folder.resolve(String.valueOf(i))));
            CompletableFuture<Boolean> first = claim(run, manifest(1), start);
            CompletableFuture<Boolean> second = claim(run, manifest(1), start);
            assertTrue(first.get() && second.get(), "try " + i);
        }
    }

    /** As on a file system without hard links, where the name is there before the content. */
    @Test
    void waitsForWhatAnotherWrites() throws Exception {
        RunFolder run = new RunFolder(folder);
        Files.createFile(run.manifest());
        CompletableFuture<Boolean> claimed = claim(run, manifest(1), new CyclicBarrier(1));
        Thread.sleep(200);
        assertFalse(claimed.isDone(), "it waits");
        Path other = Files.createDirectory(folder.resolve(".other")).resolve(RunManifest.NAME);
        manifest(1).create(other);
        Files.move(other, run.manifest(), StandardCopyOption.ATOMIC_MOVE);
        assertTrue(claimed.get(10, TimeUnit.SECONDS));
    }

    @Test
    void anEmptyManifestIsToldInALine() throws IOException {
        RunFolder run = new RunFolder(folder);
        Files.createFile(run.manifest());
        PermanentException error = assertThrows(PermanentException.class, () -> run.claim(manifest(1)));
        assertTrue(
                String.valueOf(error.getMessage())
                        .endsWith("manifest.json is empty, as of a worker that was stopped while it began; delete it"),
                error.toString());
    }
}
