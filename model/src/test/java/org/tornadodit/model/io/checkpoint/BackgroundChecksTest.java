package org.tornadodit.model.io.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.tensor.StoredTensor.Check;

/** Weights are given before their checksums are known, and nothing passes that is damaged. */
@Timeout(60)
class BackgroundChecksTest {
    private static final Path SAMPLING = Path.of(System.getProperty("dit.root", ".."), "reference", "data", "sampling");

    @TempDir
    Path folder;

    @Test
    void loadingDoesNotWaitForAChecksumButTheOutcomeIsTold() throws Exception {
        byte[] bytes = Files.readAllBytes(SAMPLING.resolve("checkpoint.pt"));
        DitConfig config = DitConfig.fromJson(SAMPLING.resolve("config.json"));
        Path file = Files.write(folder.resolve("sound.pt"), bytes);
        try (Checkpoint sound = Checkpoints.open(file)) {
            DitWeights.load(sound, config);
            sound.requireIntact();
        }
        bytes[bytes.length / 2] ^= 4;
        file = Files.write(folder.resolve("damaged.pt"), bytes);
        try (Checkpoint damaged = Checkpoints.open(file)) {
            DitWeights.load(damaged, config);
            for (int i = 0; i < 2; i++) {
                CheckpointException thrown = assertThrows(CheckpointException.class, damaged::requireIntact);
                String message = String.valueOf(thrown.getMessage());
                assertTrue(
                        message.startsWith(file + ": zip entry ")
                                && message.contains("the file is damaged: expected CRC-32"),
                        message);
                assertEquals(1, message.lines().count(), message);
            }
        }
        try (Checkpoint unused = Checkpoints.open(file)) {
            DitWeights.load(unused, config);
        } // unmaps what is being read
    }

    @Test
    void waitsForAllAndThrowsWhatOneHasThrown() throws Exception {
        InternalError gone = new InternalError("a page that is gone");
        CountDownLatch released = new CountDownLatch(1);
        AtomicInteger runs = new AtomicInteger();
        Check slow = () -> {
            await(released);
            runs.incrementAndGet();
        };
        Check broken = () -> {
            runs.incrementAndGet();
            throw gone;
        };
        try (BackgroundChecks checks = new BackgroundChecks()) {
            checks.begin(new LinkedHashSet<>(List.of(slow)));
            checks.begin(Set.of(slow));
            assertTrue(checks.has(slow));
            assertFalse(checks.has(broken));
            AtomicBoolean passed = new AtomicBoolean();
            Thread waiter = Thread.ofPlatform().start(() -> {
                checks.await();
                passed.set(true);
            });
            waiter.join(50);
            assertFalse(passed.get());
            released.countDown();
            waiter.join();
            assertTrue(passed.get());
            checks.begin(Set.of(broken));
            assertSame(gone, assertThrows(InternalError.class, checks::await));
            assertEquals(2, runs.get());
        }
    }

    /** Memory must not go while it is read, and nobody waits for what is not wanted any more. */
    @Test
    void closingWaitsForWhatRunsAndDropsWhatWaits() {
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger ended = new AtomicInteger();
        Set<Check> many = new LinkedHashSet<>();
        CountDownLatch first = new CountDownLatch(1);
        for (int i = 0; i < 1000; i++) {
            int number = i;
            many.add(() -> {
                assertTrue(number >= 0); // captured: an object of its own each
                begun.incrementAndGet();
                first.countDown();
                pause();
                ended.incrementAndGet();
            });
        }
        try (BackgroundChecks checks = new BackgroundChecks()) {
            checks.begin(many);
            await(first);
        }
        assertEquals(begun.get(), ended.get());
        assertTrue(begun.get() < 1000, "all were run");
    }

    /** Whatever interrupts it. */
    private static void pause() {
        long end = System.nanoTime() + 20_000_000;
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
