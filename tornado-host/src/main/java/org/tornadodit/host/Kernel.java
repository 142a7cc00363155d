package org.tornadodit.host;

/** A task's method, called with its arguments. */
@FunctionalInterface
public interface Kernel {
    void run(Object[] arguments);
}
