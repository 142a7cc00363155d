package org.tornadodit.runner.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Batches are written behind the caller's back, in order, and what cannot be written is not passed over. */
@Timeout(120)
class BatchWriterTest {
    private final List<Integer> written = Collections.synchronizedList(new ArrayList<>());

    @Test
    void theCallerGoesOnWhileABatchIsWritten() throws Exception {
        CountDownLatch callerWentOn = new CountDownLatch(1);
        try (BatchWriter writer = new BatchWriter()) {
            writer.begin(() -> {
                try {
                    if (callerWentOn.await(60, TimeUnit.SECONDS)) {
                        written.add(0);
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            assertEquals(List.of(), written);
            callerWentOn.countDown();
            for (int batch = 1; batch < 5; batch++) {
                int number = batch;
                writer.begin(() -> written.add(number));
                assertEquals(number - 1, written.get(number - 1), "the batch before is written");
            }
            writer.await();
            assertEquals(List.of(0, 1, 2, 3, 4), written);
        }
    }

    @Test
    void aFullDiskIsToldAtTheNextBatch() throws Exception {
        try (BatchWriter writer = new BatchWriter()) {
            writer.begin(() -> {
                throw new IOException("disk full");
            });
            IOException failure = assertThrows(IOException.class, () -> writer.begin(() -> written.add(1)));
            assertEquals("disk full", failure.getMessage());
            writer.await();
        }
        assertEquals(List.of(), written);
    }

    @Test
    void whatWasBegunIsWrittenWhenTheNextBatchFails() {
        IllegalStateException failure = assertThrows(IllegalStateException.class, () -> {
            try (BatchWriter writer = new BatchWriter()) {
                writer.begin(() -> {
                    Thread.yield();
                    written.add(0);
                });
                throw new IllegalStateException("device lost");
            }
        });
        assertEquals("device lost", failure.getMessage());
        assertEquals(List.of(0), written);
    }
}
