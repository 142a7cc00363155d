package org.tornadodit.pipeline;

/**
 * Who waits for a place in the pass, and who is at work. The engine gives places in the order in which requests came; this
 * counts them, and refuses what would be too many. Thread safe.
 */
final class RequestQueue {
    private final int mostWaiting;
    private int waiting;
    private int running;

    /** @param mostWaiting requests that may wait at a time; 0 where only free places are given */
    RequestQueue(int mostWaiting) {
        this.mostWaiting = mostWaiting;
    }

    /** A request on its way through the queue. It comes, may have to wait, begins, and leaves. */
    final class Ticket implements AutoCloseable {
        private enum Place {
            CAME,
            WAITS,
            RUNS
        }

        private Place place = Place.CAME;

        private Ticket() {}

        /**
         * There is no place for it yet; where it has begun already it goes on counting as running.
         *
         * @throws QueueFullException when others wait already, as many as may
         */
        void waits() {
            synchronized (RequestQueue.this) {
                if (place == Place.CAME) {
                    if (waiting >= mostWaiting) {
                        throw new QueueFullException(waiting);
                    }
                    become(Place.WAITS);
                }
            }
        }

        /** It has a place. */
        void begins() {
            synchronized (RequestQueue.this) {
                become(Place.RUNS);
            }
        }

        /** It is done, refused or cancelled. */
        @Override
        public void close() {
            synchronized (RequestQueue.this) {
                become(Place.CAME);
            }
        }

        private void become(Place next) {
            waiting += (next == Place.WAITS ? 1 : 0) - (place == Place.WAITS ? 1 : 0);
            running += (next == Place.RUNS ? 1 : 0) - (place == Place.RUNS ? 1 : 0);
            place = next;
        }
    }

    Ticket enter() {
        return new Ticket();
    }

    /** Requests without a place so far. */
    synchronized int waiting() {
        return waiting;
    }

    /** Requests that have begun, and are not done. */
    synchronized int running() {
        return running;
    }
}
