package org.tornadodit.model.diffusion;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Samplers of models that predict a velocity. Each step is linear in the latents, the model's output, an array that is kept
 * from step to step and fresh noise ({@link Update.Linear}), and asks the model once: Heun's method takes two steps where it
 * moves once. Scalars are float64 rounded once, from times in float32 for SiT and MeanFlow, as their programs have them.
 *
 * <p>With score s, the gradient of the log density, the SDE's drift is v + w s. SiT's score is {@code (t v - x) / (1 - t)}, and
 * its w by default 1 - t, for which the drift is {@code (1 + t) v - x}; REPA's w is t, with the sign of its time,
 * {@code (2 - t) v + x}. The last step goes without noise, 0.04 along the drift ("Mean") where nothing else is chosen.
 */
public final class VelocitySampler implements Sampler {
    /** The last step of REPA's SDE. */
    private static final double LAST = 0.04;

    static final int MOST_STEPS = 100_000;

    private final Objective objective;
    private final SamplingMethod method;
    private final FlowChoices choices;
    private final List<SamplerStep> steps = new ArrayList<>();
    /** Steps that draw noise, also where they make nothing of it. */
    private final BitSet drawing = new BitSet();

    private VelocitySampler(Objective objective, SamplingMethod method, FlowChoices choices) {
        this.objective = objective;
        this.method = method;
        this.choices = choices;
    }

    /**
     * A sampler for SiT, REPA or MeanFlow.
     *
     * @param count what their programs call the number of steps. SiT's are points in time, both ends included: its ODEs move
     *     one time less, its SDEs as often, the last step included where there is one
     * @param choices of SiT's SDEs
     * @throws IllegalArgumentException with one line for the user, when it is no such number
     */
    static VelocitySampler of(Objective objective, SamplingMethod method, String count, FlowChoices choices) {
        int n = number(objective, method, count);
        VelocitySampler sampler = new VelocitySampler(objective, method, choices);
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

    /** A step that draws. */
    private void addDrawing(double time, double decisive, Update.Linear update) {
        drawing.set(steps.size());
        add(time, decisive, update);
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
        double[] t = sit ? times(0, 1 - choices.rest(), count) : times(1, LAST, count);
        for (int k = 0; k + 1 < count; k++) {
            double dt = sit ? t[1] - t[0] : t[k + 1] - t[k];
            addDrawing(t[k], t[k], drift(t[k], dt, spread(t[k], dt)));
        }
        if (sit) {
            lastStep(t[count - 1]);
        } else {
            double last = count == 1 ? t[0] : t[count - 1];
            add(last, last, drift(last, -last, 0));
        }
    }

    /** SiT's, whose formula of Tweedie for a linear path is {@code x + (1 - t) v}. */
    private void lastStep(double t) {
        double size = choices.lastStepSize();
        switch (choices.lastStep()) {
            case MEAN -> add(t, t, drift(t, size, 0));
            case TWEEDIE -> add(t, t, Update.Linear.move(1, 1 - t, 0));
            case EULER -> add(t, t, Update.Linear.move(1, size, 0));
            case NONE -> {}
        }
    }

    /** {@code x + drift dt + spread z}. */
    private Update.Linear drift(double t, double dt, double spread) {
        return Update.Linear.move(1 + ofX(t) * dt, ofVelocity(t) * dt, spread);
    }

    /** w(t) over the share of the noise. */
    private double diffusion(double t) {
        return objective == Objective.SIT ? choices.diffusionForm().overSigma(t, choices.diffusionNorm()) : 1;
    }

    /** The share of x in the drift. */
    private double ofX(double t) {
        return objective == Objective.SIT ? -diffusion(t) : 1;
    }

    /** The share of the velocity in the drift. */
    private double ofVelocity(double t) {
        return objective == Objective.SIT ? 1 + diffusion(t) * t : 2 - t;
    }

    /** Deviation of a step's noise: sqrt(2 w dt). */
    private double spread(double t, double dt) {
        return Math.sqrt(2 * diffusion(t) * noise(t)) * Math.sqrt(Math.abs(dt));
    }

    /**
     * SiT's: the noise comes before a step's two calls of the model, so that each second call's step adds the next one's. The
     * very first is added by a step whose output is not used.
     */
    private void heunSde(int count) {
        if (choices.lastStep() == FlowChoices.LastStep.NONE) {
            throw new IllegalArgumentException(
                    "--last-step is none: heun-sde would ask for the drift at the end, where it"
                            + " has no value; expected mean, tweedie or euler");
        }
        double[] t = times(0, 1 - choices.rest(), count);
        double dt = t[1] - t[0];
        addDrawing(t[0], t[0], Update.Linear.move(1, 0, spread(t[0], dt)));
        for (int k = 0; k + 1 < count; k++) {
            double later = t[k] + dt;
            double keptX = ofX(t[k]) * dt / 2;
            double keptVelocity = ofVelocity(t[k]) * dt / 2;
            add(
                    t[k],
                    t[k],
                    Update.Linear.moveAndKeep(1 + ofX(t[k]) * dt, ofVelocity(t[k]) * dt, 1 + keptX, keptVelocity));
            double ofX = ofX(later) * dt / 2;
            double ofVelocity = ofVelocity(later) * dt / 2;
            if (k + 2 < count) {
                addDrawing(later, t[k], Update.Linear.fromKept(ofX, ofVelocity, spread(t[k + 1], dt)));
            } else {
                add(later, t[k], Update.Linear.fromKept(ofX, ofVelocity, 0));
            }
        }
        lastStep(t[count - 1]);
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
        return drawing.get(0, done).cardinality();
    }

    /** SiT's program samples a batch of both halves; REPA's draws for the samples alone. */
    @Override
    public boolean drawsForBothHalves() {
        return objective == Objective.SIT;
    }
}
