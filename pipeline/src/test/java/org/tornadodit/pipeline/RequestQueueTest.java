package org.tornadodit.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class RequestQueueTest {

    @Test
    void countsWhoWaitsAndWhoRunsAndRefusesTheRest() {
        RequestQueue queue = new RequestQueue(1);
        RequestQueue.Ticket running = queue.enter();
        running.begins();
        RequestQueue.Ticket waiting = queue.enter();
        waiting.waits();
        assertCounts(1, 1, queue);
        try (RequestQueue.Ticket refused = queue.enter()) {
            assertThrows(QueueFullException.class, refused::waits);
        }
        try (RequestQueue.Ticket atOnce = queue.enter()) {
            atOnce.begins();
            assertCounts(1, 2, queue);
        }
        running.waits(); // between two batches of its own
        assertCounts(1, 1, queue);
        waiting.begins();
        assertCounts(0, 2, queue);
        running.close();
        waiting.close();
        waiting.close();
        assertCounts(0, 0, queue);
    }

    @Test
    void noOneWaitsWhereNoOneMay() {
        RequestQueue queue = new RequestQueue(0);
        queue.enter().begins();
        assertThrows(QueueFullException.class, queue.enter()::waits);
        assertCounts(0, 1, queue);
    }

    private static void assertCounts(int waiting, int running, RequestQueue queue) {
        assertEquals(waiting, queue.waiting(), "waiting");
        assertEquals(running, queue.running(), "running");
    }
}
