package org.tornadodit.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.TinyModelFiles;

/** A pipeline that is closed while others use it. */
class ClosingPipelineTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @AfterEach
    void oneDevice() {
        HostRuntime.get().setDeviceCount(1);
    }

    private static boolean within(long start, BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > Duration.ofMinutes(1).toNanos()) {
                return false;
            }
            Thread.onSpinWait();
        }
        return true;
    }

    private static boolean waitsForCallers(Thread closing) {
        return closing.getState() == Thread.State.WAITING
                && Arrays.stream(closing.getStackTrace())
                        .anyMatch(frame -> frame.getClassName().endsWith("WriteLock"));
    }

    /** close() waits for the listener's request, the listener for another: which does not wait for close() in its turn. */
    @ParameterizedTest
    @ValueSource(strings = {"cpu", "cpu:2"})
    void aRequestOfAListenerIsRefusedWhileThePipelineIsClosed(String devices) throws IOException {
        TinyModelFiles model = TinyModelFiles.write(folder);
        DitPipeline dit = DitPipeline.load(model.checkpoint(), model.vae())
                .config(model.config())
                .devices(devices)
                .noKernelCache()
                .notices(line -> {})
                .open();
        Thread closing = Thread.ofPlatform().daemon().unstarted(dit::close);
        List<String> refused = new CopyOnWriteArrayList<>();
        Sampling running = dit.start(Request.of(1).steps(3), progress -> {
            closing.start();
            assertTrue(within(System.nanoTime(), () -> waitsForCallers(closing)), "close() does not wait");
            Sampling other = dit.start(Request.of(2).steps(3), any -> {});
            refused.add(String.valueOf(
                    assertThrows(PipelineException.class, other::pictures).getMessage()));
        });
        assertTrue(within(System.nanoTime(), running::isDone), "all three wait for one another");
        assertEquals(
                "the pipeline was closed after step 1 of 3",
                assertThrows(CancellationException.class, running::pictures).getMessage());
        assertEquals(List.of("the pipeline is closed"), refused);
        assertTrue(within(System.nanoTime(), () -> !closing.isAlive()), "close() does not return");
        assertFalse(Thread.interrupted());
    }
}
