package org.tornadodit.scheduler.run;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** Where samples are taken through their steps: a device, or the CPU, with a thread of its own. */
final class Lane {
    private final int places;
    private final double speed;
    private final Executor thread;
    private final Supplier<Stepper> stepper;

    // Under the lock of the SharedPass:
    private final List<RunningSample> samples = new ArrayList<>();
    private boolean scheduled;
    private boolean lost;

    // On the lane's thread:
    private List<RunningSample> resident = List.of();
    private int sinceKept;
    private long keptAt;

    private volatile double seconds;

    /**
     * @param places most samples
     * @param speed in any measure that is proportional to samples a second
     * @param thread does one task after the other, in the order in which they came
     * @param stepper asked on that thread
     */
    Lane(int places, double speed, Executor thread, Supplier<Stepper> stepper) {
        this.places = places;
        this.speed = speed;
        this.thread = thread;
        this.stepper = stepper;
    }

    int places() {
        return places;
    }

    double speed() {
        return speed;
    }

    void execute(Runnable task) {
        thread.execute(task);
    }

    Stepper stepper() {
        return stepper.get();
    }

    /** Samples that have a place here. */
    List<RunningSample> samples() {
        return samples;
    }

    boolean isScheduled() {
        return scheduled;
    }

    void setScheduled(boolean scheduled) {
        this.scheduled = scheduled;
    }

    /** Whether its device failed. */
    boolean isLost() {
        return lost;
    }

    void setLost() {
        lost = true;
    }

    /** Samples that the stepper has, in its order. */
    List<RunningSample> resident() {
        return resident;
    }

    void setResident(List<RunningSample> samples) {
        resident = List.copyOf(samples);
    }

    /** Steps since all states were read. */
    int sinceKept() {
        return sinceKept;
    }

    /** Notes a step. */
    void stepped() {
        sinceKept++;
    }

    /** Time since then. */
    double secondsSinceKept() {
        return (System.nanoTime() - keptAt) / 1e9;
    }

    /** All states are on the host. */
    void kept() {
        sinceKept = 0;
        keptAt = System.nanoTime();
    }

    /** Time at work since {@link #resetSeconds}. */
    double seconds() {
        return seconds;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // only its own thread adds
    void addSeconds(double more) {
        seconds += more;
    }

    void resetSeconds() {
        seconds = 0;
    }
}
