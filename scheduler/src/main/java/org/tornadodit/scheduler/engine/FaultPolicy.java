package org.tornadodit.scheduler.engine;

import java.util.function.Consumer;

/**
 * What happens when a device fails: out of memory, a kernel that does not compile or launch, values that do not come back.
 *
 * @param failFast whether the first failure ends the run; otherwise the device is taken out and the others do its
 *     samples, until the last device fails
 * @param keepSteps every so many steps, latents are copied to the host, to go on from
 * @param report takes a line about each device that is taken out, and one where devices may give different bits; called on any thread
 */
public record FaultPolicy(boolean failFast, int keepSteps, Consumer<String> report) {

    /** Latents are small, 0.5 MB for 8 images of 512 x 512. */
    public static final int KEEP_STEPS = 10;

    public FaultPolicy {
        if (keepSteps < 1) {
            throw new IllegalArgumentException("keepSteps is " + keepSteps + ", expected at least 1");
        }
    }
}
