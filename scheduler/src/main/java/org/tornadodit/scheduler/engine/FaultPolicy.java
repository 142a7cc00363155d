package org.tornadodit.scheduler.engine;

import java.util.function.Consumer;

/**
 * What happens when a device fails: out of memory, a kernel that does not compile or launch, values that do not come back.
 *
 * @param failFast whether the first failure ends the run; otherwise the device is taken out and the others do its
 *     samples, until the last device fails
 * @param keepSteps after so many steps at the earliest, latents are copied to the host, to go on from
 * @param keepSeconds and when so long has passed: a device that reads its latents has no next step meanwhile
 * @param report takes a line about each device that is taken out, and one where devices may give different bits; called on any thread
 */
public record FaultPolicy(boolean failFast, int keepSteps, double keepSeconds, Consumer<String> report) {

    /** Latents are small, 0.5 MB for 8 images of 512 x 512. */
    public static final int KEEP_STEPS = 10;

    /** What a device that fails costs the others to do again, at most, where {@link #KEEP_STEPS} take less. */
    public static final double KEEP_SECONDS = 1;

    public FaultPolicy {
        if (keepSteps < 1) {
            throw new IllegalArgumentException("keepSteps is " + keepSteps + ", expected at least 1");
        }
        if (!(keepSeconds >= 0)) {
            throw new IllegalArgumentException("keepSeconds is " + keepSeconds + ", expected at least 0");
        }
    }
}
