package org.tornadodit.runner.download;

import java.time.Duration;

/**
 * How long a download waits.
 *
 * @param attempts that may fail one after the other without a byte arriving
 * @param pause before the first repetition; it doubles each time
 * @param stall silence after which a connection counts as lost
 */
record Patience(int attempts, Duration pause, Duration stall) {

    /** About half a minute of pauses in all. */
    static final Patience USUAL = new Patience(6, Duration.ofSeconds(1), Duration.ofSeconds(60));

    /** The pause before an attempt, counted from 1. */
    Duration before(int attempt) {
        return pause.multipliedBy(1L << Math.min(10, attempt - 1));
    }
}
