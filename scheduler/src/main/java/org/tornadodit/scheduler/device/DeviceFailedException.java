package org.tornadodit.scheduler.device;

import org.tornadodit.model.Printable;

/** A device failed, and no other could go on in its place, or was to. One line. Exit code 1. */
public final class DeviceFailedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** TornadoVM's messages can hold whole kernels. */
    private static final int LONGEST = 300;

    public DeviceFailedException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Which device failed at what, and why, in one line. */
    public static String line(ListedDevice device, String stage, Throwable failure) {
        Throwable root = failure;
        while (root.getMessage() == null && root.getCause() != null) {
            root = root.getCause();
        }
        String why = root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        String line = Printable.line(why, Integer.MAX_VALUE);
        return "device %s failed while %s: %s"
                .formatted(device, stage, line.length() <= LONGEST ? line : line.substring(0, LONGEST - 3) + "...");
    }
}
