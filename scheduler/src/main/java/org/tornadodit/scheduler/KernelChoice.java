package org.tornadodit.scheduler;

import org.tornadodit.scheduler.TornadoDevices.Listed;

/**
 * Which tier of kernels serves a device, and why: the one place where a variant is chosen.
 *
 * @param operations the tier's kernels
 * @param reason in words, for the user
 */
record KernelChoice(Operations operations, String reason) {

    /** The best tier for a device. */
    static KernelChoice of(Listed device) {
        return new KernelChoice(
                new PortableOperations(), "the tier that runs on any device (" + device.backend() + ")");
    }
}
