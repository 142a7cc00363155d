package org.tornadodit.virtual;

/** A device that is no hardware: it knows what lives in its memory. */
public interface VirtualDevice {

    /** Bytes of all buffers that live on the device now, headers included. */
    long usedBytes();

    /** Bytes that are left to allocate. */
    long freeBytes();
}
