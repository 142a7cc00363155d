package org.tornadodit.model.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Samplers of models that predict a velocity. Each step is linear in the latents, the model's output, an array that is kept
 * from step to step and fresh noise ({@link Update.Linear}), and asks the model once: Heun's method takes two steps where it
 * moves once. Scalars are float64 rounded once, from times in float32 for SiT and MeanFlow, as their programs have them.
 *
 * <p>With score s, the gradient of the log density, the SDE's drift is v + w s: SiT's w is 1 - t, for which it is
 * {@code (1 + t) v - x}; REPA's t, with the sign of its time, {@code (2 - t) v + x}. The last step of both goes 0.04 without
 * noise ("Mean").
 */
public final class VelocitySampler implements Sampler {
    /** The last step of an SDE. */
    private static final double LAST = 0.04;

    private static final int MOST_STEPS = 100_000;

    private final Objective objective;
    private final SamplingMethod method;
    private final List<SamplerStep> steps = new ArrayList<>();

    private VelocitySampler(Objective objective, SamplingMethod method) {
        this.objective = objective;
        this.method = method;
    }

    /**
     * A sampler for SiT, REPA or MeanFlow.
     *
     * @param count what their programs call the number of steps. SiT's are points in time, both ends included: its ODEs move
     *     one time less, its SDEs as often, the last step to the mean included
     * @throws IllegalArgumentException with one line for the user, when it is no such number
     */
    static VelocitySampler of(Objective objective, SamplingMethod method, String count) {
        int n = number(objective, method, count);
        VelocitySampler sampler = new VelocitySampler(objective, method);
        switch (method) {
            case EULER -> sampler.euler(n);
            case HEUN -> sampler.heun(n);
            case EULER_MARUYAMA -> sampler.eulerMaruyama(n);
            case HEUN_SDE -> sampler.heunSde(n);
            case MEAN_FLOW -> sampler.meanFlow(n);
            default -> throw new IllegalArgumentException(method + " has no steps of a given size");
        }
        return sampler;
    }

    private static int number(Objective objective, SamplingMethod method, String text) {
        int least = objective == Objective.SIT ? 2 : 1;
        int count;
        try {
            count = Integer.parseInt(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "sampling steps '%s': %s takes a number like %s; sections and ddim50 are spacings of ddpm and ddim"
                            .formatted(text, method.option(), objective.defaultSteps()),
                    e);
        }
        if (count < least || count > MOST_STEPS) {
            throw new IllegalArgumentException("%d sampling steps: %s takes %d to %d with %s models"
                    .formatted(count, method.option(), least, MOST_STEPS, objective));
        }
        return count;
    }

    /** Times from one to another, with both ends. */
    private double[] times(double from, double to, int points) {
        double[] times = new double[points];
        float step = ((float) to - (float) from) / (points - 1);
        for (int i = 0; i < points; i++) {
            if (objective == Objective.REPA) {
                double stride = (to - from) / (points - 1);
                times[i] = i < points / 2 ? from + stride * i : to - stride * (points - 1 - i);
            } else { // torch.linspace in float32
                times[i] = i < points / 2 ? (float) from + step * i : (float) to - step * (points - 1 - i);
            }
        }
        times[0] = objective == Objective.REPA ? from : (float) from;
        return times;
    }

    /** From noise to data, of an ODE. */
    private double[] ode(int count) {
        return objective == Objective.SIT ? times(0, 1, count) : times(1, 0, count + 1);
    }

    /** The share of noise at a time, 1 to 0. */
    private double noise(double time) {
        return objective == Objective.SIT ? 1 - time : time;
    }

    private void add(double time, double decisive, Update.Linear update) {
        steps.add(SamplerStep.ofVelocity(time, 0, noise(decisive), update));
    }

    private void euler(int count) {
        double[] t = ode(count);
        for (int k = 0; k + 1 < t.length; k++) {
            add(t[k], t[k], Update.Linear.move(1, t[k + 1] - t[k], 0));
        }
    }

    /** The explicit trapezoidal rule; REPA's last step is Euler's. */
    private void heun(int count) {
        double[] t = ode(count);
        for (int k = 0; k + 1 < t.length; k++) {
            double dt = t[k + 1] - t[k];
            if (objective == Objective.REPA && k + 2 == t.length) {
                add(t[k], t[k], Update.Linear.move(1, dt, 0));
            } else {
                add(t[k], t[k], Update.Linear.moveAndKeep(1, dt, 1, dt / 2));
                add(t[k + 1], t[k], Update.Linear.fromKept(0, dt / 2, 0));
            }
        }
    }

    private void eulerMaruyama(int count) {
        boolean sit = objective == Objective.SIT;
        double[] t = sit ? times(0, 1 - LAST, count) : times(1, LAST, count);
        for (int k = 0; k + 1 < count; k++) {
            double dt = sit ? t[1] - t[0] : t[k + 1] - t[k];
            add(t[k], t[k], drift(t[k], dt, spread(t[k], dt)));
        }
        double last = count == 1 ? t[0] : t[count - 1];
        add(last, last, drift(last, sit ? LAST : -last, 0));
    }

    /** {@code x + drift dt + spread z}. */
    private Update.Linear drift(double t, double dt, double spread) {
        return Update.Linear.move(1 + ofX() * dt, ofVelocity(t) * dt, spread);
    }

    /** The share of x in the drift. */
    private double ofX() {
        return objective == Objective.SIT ? -1 : 1;
    }

    /** The share of the velocity in the drift. */
    private double ofVelocity(double t) {
        return objective == Objective.SIT ? 1 + t : 2 - t;
    }

    /** Deviation of a step's noise: sqrt(2 w dt). */
    private double spread(double t, double dt) {
        return Math.sqrt(2 * noise(t)) * Math.sqrt(Math.abs(dt));
    }

    /**
     * SiT's: the noise comes before a step's two calls of the model, so that each second call's step adds the next one's. The
     * very first is added by a step whose output is not used.
     */
    private void heunSde(int count) {
        double[] t = times(0, 1 - LAST, count);
        double dt = t[1] - t[0];
        add(t[0], t[0], Update.Linear.move(1, 0, spread(t[0], dt)));
        for (int k = 0; k + 1 < count; k++) {
            double next = k + 2 < count ? spread(t[k + 1], dt) : 0;
            double later = t[k] + dt;
            add(
                    t[k],
                    t[k],
                    Update.Linear.moveAndKeep(
                            1 + ofX() * dt, ofVelocity(t[k]) * dt, 1 + ofX() * dt / 2, ofVelocity(t[k]) * dt / 2));
            add(later, t[k], Update.Linear.fromKept(ofX() * dt / 2, ofVelocity(later) * dt / 2, next));
        }
        double last = t[count - 1];
        add(last, last, drift(last, LAST, 0));
    }

    /** {@code z_r = z_t - (t - r) u}. */
    private void meanFlow(int count) {
        double[] t = times(1, 0, count + 1);
        for (int k = 0; k < count; k++) {
            double interval = (float) (t[k] - t[k + 1]);
            steps.add(SamplerStep.ofVelocity(t[k], interval, noise(t[k]), Update.Linear.move(1, -interval, 0)));
        }
    }

    @Override
    public SamplingMethod method() {
        return method;
    }

    @Override
    public int steps() {
        return steps.size();
    }

    @Override
    public SamplerStep step(int done) {
        return steps.get(done);
    }

    @Override
    public int draws(int done) {
        return (int) steps.subList(0, done).stream()
                .filter(step -> step.update().noisy())
                .count();
    }

    /** SiT's program samples a batch of both halves; REPA's draws for the samples alone. */
    @Override
    public boolean drawsForBothHalves() {
        return objective == Objective.SIT;
    }
}
