package uk.ac.manchester.tornado.drivers.common.utils;

/** What an event stands for. */
public enum EventDescriptor {
    DESC_PARALLEL_KERNEL
}
