package org.tornadodit.scheduler.run;

import java.util.List;

/** What takes samples through their steps side by side: a device's engine, or the CPU's. Used by one thread. */
interface Stepper {

    /**
     * Takes samples in, in the place of those that it had.
     *
     * @param states of each sample, its latents (C, H, W) and then the history of its sampler
     */
    void begin(List<List<float[]>> states);

    /**
     * One step of each of them. It may still be going on when this returns: then the next call, of whichever method, waits for it, and
     * fails where it failed.
     *
     * @param samples in the order of {@link #begin}
     * @param noise of each (C, H, W), empty where it draws none; no entries where the device draws
     * @param number of the step, for messages; the largest of a mixture
     * @throws org.tornadodit.scheduler.engine.OverflowException when one of them has a value that the numbers cannot hold;
     *     they have to be taken in again then
     */
    void step(List<SampleStep> samples, List<float[]> noise, int number);

    /**
     * Where they are.
     *
     * @param arrays wanted of each
     * @throws ArithmeticException when a device did not return them
     */
    List<List<float[]>> read(List<Integer> arrays);
}
