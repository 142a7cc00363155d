package org.tornadodit.scheduler;

/** Told after each denoising step. */
@FunctionalInterface
public interface StepListener {

    /** @param done steps finished, from 1 */
    void stepDone(int done);
}
