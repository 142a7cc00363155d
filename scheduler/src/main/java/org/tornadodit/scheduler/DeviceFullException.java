package org.tornadodit.scheduler;

/** A device would be large enough, if others did not hold its memory; another device may serve. */
final class DeviceFullException extends DeviceUnavailableException {

    private static final long serialVersionUID = 1L;

    DeviceFullException(String message) {
        super(message);
    }
}
