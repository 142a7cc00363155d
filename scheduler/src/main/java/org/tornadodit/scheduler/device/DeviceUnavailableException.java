package org.tornadodit.scheduler.device;

/** There is no such device or backend, or it is too small. One line with the next step. Exit code 3. */
public class DeviceUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public DeviceUnavailableException(String message) {
        super(message);
    }

    public DeviceUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
