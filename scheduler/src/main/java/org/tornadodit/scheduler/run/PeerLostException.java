package org.tornadodit.scheduler.run;

import org.tornadodit.kernels.Exchange;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Another device of a crew did not do its part of a step: the failure is that one's. */
final class PeerLostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PeerLostException(String message) {
        super(message);
    }

    /**
     * @param state of exchanges, see {@link Exchange}
     * @param seconds that a signal may take
     * @throws PeerLostException when another device did not send what it had to
     */
    static void requireSignals(IntArray state, int seconds) {
        if (state.get(Exchange.FAILED) != 0) {
            throw new PeerLostException(("another device that computes the same samples sent nothing for %d s;"
                            + " with --plan samples each works by itself")
                    .formatted(seconds));
        }
    }
}
