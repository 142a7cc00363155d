package org.tornadodit.scheduler.run;

/** Another device of a crew did not do its part of a step: the failure is that one's. */
final class PeerLostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PeerLostException(String message) {
        super(message);
    }
}
