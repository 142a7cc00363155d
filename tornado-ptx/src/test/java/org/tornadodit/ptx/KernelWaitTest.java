package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tornadodit.ptx.KernelWait.KernelsLateException;

/** No wait for kernels is without an end or without a word. */
@Timeout(60)
class KernelWaitTest {
    private static final Duration LONG = Duration.ofMinutes(5);

    private final List<String> lines = new ArrayList<>();

    private static Map<String, CompletableFuture<Integer>> kernels(String... names) {
        Map<String, CompletableFuture<Integer>> kernels = new LinkedHashMap<>();
        for (String name : names) {
            kernels.put(name, new CompletableFuture<>());
        }
        return kernels;
    }

    @Test
    void endsWithTheLastKernelAndIsSilentWhereOneComesAfterTheOther() {
        var kernels = kernels("a", "b", "c");
        Thread.ofPlatform().daemon().start(() -> kernels.values().forEach(kernel -> kernel.complete(1)));
        new KernelWait(LONG, LONG, lines::add).await(kernels, "compiled", "nobody");
        assertTrue(kernels.values().stream().allMatch(CompletableFuture::isDone));
        assertEquals(List.of(), lines);
    }

    @Test
    void saysWhatItWaitsForAndWhereTheThreadsAre() throws Exception {
        var kernels = kernels("Linear.gelu of a", "Attention.full of b");
        Objects.requireNonNull(kernels.get("Linear.gelu of a")).complete(1);
        CountDownLatch runs = new CountDownLatch(1);
        CountDownLatch stop = new CountDownLatch(1);
        Thread stuck = Thread.ofPlatform().daemon().name("stuck-kernels").start(() -> {
            runs.countDown();
            try {
                stop.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        runs.await();
        try {
            new KernelWait(Duration.ofMillis(50), LONG, line -> {
                        lines.add(line);
                        Objects.requireNonNull(kernels.get("Attention.full of b"))
                                .complete(1);
                    })
                    .await(kernels, "compiled", "stuck-kernels");
        } finally {
            stop.countDown();
            stuck.join();
        }
        assertEquals(1, lines.size(), lines.toString());
        String line = lines.getFirst();
        assertTrue(line.matches("1 of 2 kernels were not compiled in \\d+ s: Attention.full of b \\(.*"), line);
        assertTrue(line.contains("stuck-kernels at "), line);
        assertTrue(line.endsWith("; still waiting"), line);
    }

    @Test
    void givesUpInOneLine() {
        var kernels = kernels("a", "b", "c", "d", "e", "f", "g");
        KernelWait wait = new KernelWait(Duration.ofMillis(1), Duration.ofMillis(100), lines::add);
        var late =
                assertThrows(KernelsLateException.class, () -> wait.await(kernels, "loaded by the driver", "nobody"));
        assertEquals(
                "7 of 7 kernels were not loaded by the driver in N s: a, b, c, d, e, ... (no thread nobody is there);"
                        + " if it happens again, try --no-kernel-cache",
                String.valueOf(late.getMessage()).replaceFirst("in \\d+ s", "in N s"));
        assertTrue(lines.size() <= 1, "said once, or too late for that: " + lines);
    }

    /** A slow machine has the time for each kernel. */
    @Test
    void timeCountsFromTheLastKernelThatGotDone() {
        var kernels = kernels("a", "b", "c");
        new KernelWait(Duration.ofMillis(10), LONG, line -> {
                    lines.add(line.substring(0, line.indexOf(" kernels")));
                    kernels.values().stream()
                            .filter(kernel -> !kernel.isDone())
                            .findFirst()
                            .orElseThrow()
                            .complete(1);
                })
                .await(kernels, "compiled", "nobody");
        assertEquals(List.of("3 of 3", "2 of 3", "1 of 3"), lines);
    }

    @Test
    void throwsWhatAKernelFailedWithOnceAllAreDone() {
        var kernels = kernels("a", "b");
        IllegalStateException refused = new IllegalStateException("kernel a was refused");
        Objects.requireNonNull(kernels.get("a")).completeExceptionally(refused);
        Thread.ofPlatform()
                .daemon()
                .start(() -> Objects.requireNonNull(kernels.get("b")).complete(1));
        KernelWait wait = new KernelWait(LONG, LONG, lines::add);
        assertSame(refused, assertThrows(IllegalStateException.class, () -> wait.await(kernels, "compiled", "nobody")));
        assertTrue(Objects.requireNonNull(kernels.get("b")).isDone());
    }

    @Test
    void anInterruptEndsIt() {
        Thread.currentThread().interrupt();
        KernelWait wait = new KernelWait(LONG, LONG, lines::add);
        assertThrows(CancellationException.class, () -> wait.await(kernels("a"), "compiled", "nobody"));
        assertTrue(Thread.interrupted());
    }
}
