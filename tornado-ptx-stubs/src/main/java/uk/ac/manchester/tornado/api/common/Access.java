package uk.ac.manchester.tornado.api.common;

/** How a task uses a parameter. */
public enum Access {
    NONE,
    READ_ONLY,
    WRITE_ONLY,
    READ_WRITE
}
