package org.tornadodit.scheduler.device;

/** A device would be large enough, if others did not hold its memory; another device may serve. */
public final class DeviceFullException extends DeviceUnavailableException {

    private static final long serialVersionUID = 1L;

    public DeviceFullException(String message) {
        super(message);
    }
}
