package org.tornadodit.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.virtual.GroupState;
import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/** How work items wait for neighbours, for conditions and for what happens without them. */
class WaitingTest {
    /** A mailbox of a group; what is on its way arrives when nobody can go on. */
    private static final class Mailbox implements GroupState {
        int sent;
        int received;
        boolean delivers = true;

        @Override
        public boolean advance() {
            if (received == sent || !delivers) {
                return false;
            }
            received++;
            return true;
        }

        @Override
        public void finish() {
            if (received != sent) {
                throw new IllegalStateException(sent - received + " letters are lost");
            }
        }
    }

    private static Mailbox mailbox() {
        return WorkItem.current().groupState(Mailbox.class, Mailbox::new);
    }

    private static void run(int groups, int threads, boolean reversed, Consumer<WorkItem> kernel) {
        WorkGroup group = new WorkGroup(
                arguments -> kernel.accept(WorkItem.current()),
                new Object[] {new KernelContext()},
                item -> new KernelContext(),
                new LaunchGrid(new int[] {groups * threads, 1, 1}, new int[] {threads, 1, 1}),
                reversed,
                Coroutine::of,
                () -> {});
        try {
            for (int g = 0; g < groups; g++) {
                group.run(g);
            }
        } finally {
            group.close();
        }
    }

    private static void assertFails(String words, int threads, Consumer<WorkItem> kernel) {
        for (boolean reversed : new boolean[] {false, true}) {
            TornadoRuntimeException e =
                    assertThrows(TornadoRuntimeException.class, () -> run(1, threads, reversed, kernel));
            assertTrue(String.valueOf(e.getMessage()).contains(words), e.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anyNumberOfNeighboursExchangesValues(boolean reversed) {
        int[] result = new int[384];
        run(1, 384, reversed, item -> {
            int i = item.index();
            int ofMany = (int) item.exchange(
                    128, i, "reverse", lanes -> Arrays.asList(lanes).reversed().toArray());
            int ofFew = (int) item.exchange(
                    ofMany, "reverse", lanes -> Arrays.asList(lanes).reversed().toArray());
            result[i] = ofFew;
        });
        assertEquals(96, result[0]);
        assertEquals(127, result[31]);
        assertEquals(128 + 64, result[128 + 32]);
        assertFails("40 wait for turn (all 64 lanes", 104, item -> item.exchange(64, 1, "turn", lanes -> lanes));
        assertFails("10 wait for turn", 64, item -> item.exchange(64, 1, item.index() < 10 ? "turn" : "x", l -> l));
        assertFails(
                "work item global (32, 0, 0)",
                64,
                item -> item.exchange(1, "sum", lanes -> {
                    if (item.index() < 32) {
                        return lanes;
                    }
                    throw new IllegalStateException("in the second warp");
                }));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void workItemsWaitForConditions(boolean reversed) {
        int[] turn = new int[1];
        StringBuilder order = new StringBuilder();
        run(1, 8, reversed, item -> {
            item.await(() -> turn[0] == item.index(), () -> "turn " + item.index());
            order.append(item.index());
            turn[0]++;
        });
        assertEquals("01234567", order.toString());
    }

    @Test
    void everyGroupHasAStateOfItsOwn() {
        int[] sum = new int[1];
        run(5, 16, false, item -> {
            mailbox().sent++;
            item.barrier();
            sum[0] += mailbox().sent;
            mailbox().received = mailbox().sent;
        });
        assertEquals(5 * 16 * 16, sum[0]);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatHappensByItselfHappensLast(boolean reversed) {
        int[] seen = new int[16];
        run(1, 16, reversed, item -> {
            Mailbox box = mailbox();
            box.sent++;
            seen[item.index()] = box.received;
            item.await(() -> box.received > item.index(), () -> "a letter");
        });
        assertEquals(0, Arrays.stream(seen).sum(), "all have sent before the first letter arrives");
    }

    @Test
    void whoCannotGoOnIsNamed() {
        assertFails(
                "deadlock: of 8 work items 1 have ended; 2 wait for letter 1, the first is work item global (0, 0, 0)",
                8,
                item -> {
                    Mailbox box = mailbox();
                    if (item.index() < 7) {
                        item.await(() -> box.received > 0, () -> "letter " + (item.index() / 2 + 1));
                    }
                });
        assertFails("group (0, 0, 0): java.lang.IllegalStateException: 2 letters are lost", 8, item -> {
            mailbox().delivers = false;
            mailbox().sent = 2;
        });
    }

    /** A group without a state is called item by item once its first one has ended. */
    @Test
    void theFirstWorkItemMayEndBeforeOthersWait() {
        int[] ended = new int[1];
        run(3, 64, false, item -> {
            mailbox();
            if (item.index() > 0) {
                item.await(() -> ended[0] > 0, () -> "the first one");
                item.await(() -> ended[0] > 32 || item.index() < 33, () -> "half of the others");
            }
            ended[0]++;
        });
        assertEquals(192, ended[0]);
        assertFails("another one of its group, now ended, never came to", 64, item -> {
            if (item.index() % 63 != 0) {
                item.barrier();
            }
        });
    }
}
