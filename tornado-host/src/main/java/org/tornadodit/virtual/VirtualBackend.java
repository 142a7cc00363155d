package org.tornadodit.virtual;

/** A backend whose devices are no hardware, so that there can be as many as wanted. */
public interface VirtualBackend {

    /**
     * Makes it {@code count} devices; existing ones stay.
     *
     * @throws IllegalArgumentException when it is less than one
     */
    void setDeviceCount(int count);
}
