package org.tornadodit.model.diffusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Dormand and Prince's method of order 5 (J. Computational and Applied Mathematics 6, 1980) for the ODE of SiT's velocity from
 * t = 0 to 1, with the steps of torchdiffeq's {@code dopri5}: the first from Hairer, Norsett and Wanner's rule, the others from
 * the error against order 4, and the value at the end from Shampine's polynomial inside the last step. Each sample has steps of
 * its own, so that a picture does not depend on its neighbours; torchdiffeq shares them in a batch.
 *
 * <p>Values are float32 as their tensors, times and norms float64. Calls of the model: two for the first step, then six a step, for the last
 * of one is the first of the next. History: y, the slopes 1 to 6, and an array whose first values are the time, the step and whether the
 * sample has arrived.
 */
final class Dopri5 implements AdaptiveSampler {
    /** Times of the slopes 2 to 7, in steps. */
    private static final double[] TIMES = {1 / 5.0, 3 / 10.0, 4 / 5.0, 8 / 9.0, 1, 1};

    /** Shares of the slopes in the inputs of the calls 2 to 7; the last is the step of order 5. */
    private static final double[][] STAGES = {
        {1 / 5.0},
        {3 / 40.0, 9 / 40.0},
        {44 / 45.0, -56 / 15.0, 32 / 9.0},
        {19372 / 6561.0, -25360 / 2187.0, 64448 / 6561.0, -212 / 729.0},
        {9017 / 3168.0, -355 / 33.0, 46732 / 5247.0, 49 / 176.0, -5103 / 18656.0},
        {35 / 384.0, 0, 500 / 1113.0, 125 / 192.0, -2187 / 6784.0, 11 / 84.0},
    };

    /** Order 5 less order 4. */
    private static final double[] ERROR = {
        35 / 384.0 - 1951 / 21600.0,
        0,
        500 / 1113.0 - 22642 / 50085.0,
        125 / 192.0 - 451 / 720.0,
        -2187 / 6784.0 + 12231 / 42400.0,
        11 / 84.0 - 649 / 6300.0,
        -1 / 60.0
    };

    /** The value in the middle of a step: L. Shampine, Some practical Runge-Kutta formulas, 1986. */
    private static final double[] MIDDLE = {
        6025192743.0 / 30085553152.0 / 2,
        0,
        51252292925.0 / 65400821598.0 / 2,
        -2691868925.0 / 45128329728.0 / 2,
        187940372067.0 / 1594534317056.0 / 2,
        -1776094331.0 / 19743644256.0 / 2,
        11237099.0 / 235043384.0 / 2
    };

    private static final double END = 1;

    /** Calls before the first step. */
    private static final int BEGINNING = 2;

    private static final int CALLS = TIMES.length;

    private static final double SMALLEST = 1e-6;
    private static final double SAFETY = 0.9;
    private static final double LEAST_FACTOR = 0.2;
    private static final double MOST_FACTOR = 10;
    private static final double ORDER = 5;

    // The arrays of a state.
    private static final int X = 0;
    private static final int Y = 1;
    private static final int SLOPES = 2;
    private static final int CLOCK = SLOPES + CALLS;

    // Values of the clock: each number is three floats, whose sum is the double.
    private static final int TIME = 0;
    private static final int STEP = 3;
    private static final int ARRIVED = 6;
    private static final int CLOCK_LENGTH = 7;

    private final double atol;
    private final double rtol;

    Dopri5(double atol, double rtol) {
        this.atol = atol;
        this.rtol = rtol;
    }

    @Override
    public SamplingMethod method() {
        return SamplingMethod.DOPRI5;
    }

    /** The most calls that a sample may take. */
    @Override
    public int steps() {
        return VelocitySampler.MOST_STEPS;
    }

    @Override
    public int draws(int done) {
        return 0;
    }

    @Override
    public String inWords() {
        return "%s (atol %s, rtol %s)".formatted(method(), atol, rtol);
    }

    @Override
    public SamplerStep step(int done, List<float[]> known) {
        double time = 0;
        double step = 0;
        if (!known.isEmpty() && done > 0) {
            float[] clock = known.get(CLOCK);
            step = number(clock, STEP);
            time = number(clock, TIME) + (done < BEGINNING ? 1 : TIMES[stage(done)]) * step;
        }
        double noise = Math.clamp(1 - time, 0, 1); // a last step goes beyond the end
        return SamplerStep.ofVelocity(
                time, 0, noise, decides(done) ? Update.Stage.OUTPUT : stageOf(STAGES[stage(done) + 1], step));
    }

    private static Update.Stage stageOf(double[] shares, double step) {
        List<Float> ofStep = new ArrayList<>();
        for (double share : shares) {
            ofStep.add(share(share, step));
        }
        return new Update.Stage(ofStep);
    }

    /** After the two calls that begin, and after the last of a step. */
    @Override
    public boolean decides(int done) {
        return done < BEGINNING || stage(done) == CALLS - 1;
    }

    @Override
    public boolean isFinished(int done, List<float[]> state) {
        return done > 0 && state.get(CLOCK)[ARRIVED] != 0;
    }

    private static int stage(int done) {
        return (done - BEGINNING) % CALLS;
    }

    @Override
    public List<float[]> next(int done, List<float[]> state, float[] output) {
        if (output.length < CLOCK_LENGTH) {
            throw new IllegalStateException(
                    "latents of %d values: dopri5 takes at least %d".formatted(output.length, CLOCK_LENGTH));
        }
        if (done + 1 + CALLS > steps()) {
            throw new IllegalStateException(
                    "dopri5 does not arrive in %d calls of the model (atol %s, rtol %s);".formatted(steps(), atol, rtol)
                            + " raise --rtol");
        }
        if (done == 0) {
            return begun(state.get(X), output);
        }
        float[] y = state.get(Y);
        double time = number(state.get(CLOCK), TIME);
        double step = number(state.get(CLOCK), STEP);
        if (done < BEGINNING) {
            double first = firstStep(y, state.get(SLOPES), output, step);
            return attempt(time, first, y, state.get(SLOPES));
        }
        List<float[]> slopes = new ArrayList<>(state.subList(SLOPES, SLOPES + CALLS));
        float[] after = plus(y, STAGES[CALLS - 1], slopes, step); // what the call was given
        slopes.add(output);
        return judged(time, step, y, after, slopes);
    }

    /** After the first call: a small step by Euler's method. */
    private List<float[]> begun(float[] y, float[] slope) {
        double[] squares = new double[2];
        for (int i = 0; i < y.length; i++) {
            float scale = scale(y[i], y[i]);
            squares[0] += square(y[i] / scale);
            squares[1] += square(slope[i] / scale);
        }
        double ofY = Math.sqrt(squares[0] / y.length);
        double ofSlope = Math.sqrt(squares[1] / y.length);
        double small = ofY < 1e-5 || ofSlope < 1e-5 ? SMALLEST : 0.01 * ofY / ofSlope;
        float[] x = new float[y.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = y[i] + (float) small * slope[i];
        }
        return state(x, y, slope, clock(0, small, y.length));
    }

    /** The first step from the slopes at its beginning and a little later. */
    private double firstStep(float[] y, float[] slope, float[] later, double small) {
        double first = 0;
        double change = 0;
        for (int i = 0; i < y.length; i++) {
            float scale = scale(y[i], y[i]);
            first += square(slope[i] / scale);
            change += square((later[i] - slope[i]) / scale);
        }
        double ofSlope = Math.sqrt(first / y.length);
        double ofChange = Math.sqrt(change / y.length) / small;
        double step = ofSlope <= 1e-15 && ofChange <= 1e-15
                ? Math.max(SMALLEST, small * 1e-3)
                : Math.pow(0.01 / Math.max(ofSlope, ofChange), 1 / ORDER);
        return Math.min(100 * small, step);
    }

    /** A step that begins: the input of its first call. */
    private List<float[]> attempt(double time, double step, float[] y, float[] slope) {
        if (!(time + step > time)) {
            throw new IllegalStateException(
                    "dopri5's steps have become too small at t = %s (atol %s, rtol %s); raise --rtol or --atol"
                            .formatted(time, atol, rtol));
        }
        return state(plus(y, STAGES[0], List.of(slope), step), y, slope, clock(time, step, y.length));
    }

    /** A step with all its slopes: accepted, refused, or the last. */
    private List<float[]> judged(double time, double step, float[] y, float[] after, List<float[]> slopes) {
        float[] error = sum(ERROR, slopes, step);
        double squares = 0;
        for (int i = 0; i < y.length; i++) {
            squares += square(error[i] / scale(y[i], after[i]));
        }
        double norm = Math.sqrt(squares / y.length);
        boolean accepted = norm <= 1;
        if (accepted && time + step >= END) {
            float[] clock = clock(END, step, y.length);
            clock[ARRIVED] = 1;
            return state(at((END - time) / step, step, y, after, slopes), after, slopes.getLast(), clock);
        }
        double factor = norm == 0
                ? MOST_FACTOR
                : Math.min(MOST_FACTOR, Math.max(SAFETY / Math.pow(norm, 1 / ORDER), norm < 1 ? 1 : LEAST_FACTOR));
        return accepted
                ? attempt(time + step, step * factor, after, slopes.getLast())
                : attempt(time, step * factor, y, slopes.getFirst());
    }

    /** The value inside of a step, 0 to 1, by the polynomial of order 4 through its ends, their slopes and its middle. */
    private static float[] at(double part, double step, float[] y, float[] after, List<float[]> slopes) {
        float[] middle = plus(y, MIDDLE, slopes, step);
        float[] result = new float[y.length];
        float s = (float) part;
        float s2 = (float) (part * part);
        float s3 = (float) (part * part * part);
        float s4 = (float) (part * part * part * part);
        for (int i = 0; i < y.length; i++) {
            float first = (float) step * slopes.getFirst()[i];
            float last = (float) step * slopes.getLast()[i];
            float a = 2 * (last - first) - 8 * (after[i] + y[i]) + 16 * middle[i];
            float b = 5 * first - 3 * last + 18 * y[i] + 14 * after[i] - 32 * middle[i];
            float c = last - 4 * first - 11 * y[i] - 5 * after[i] + 16 * middle[i];
            result[i] = y[i] + s * first + s2 * c + s3 * b + s4 * a;
        }
        return result;
    }

    private float scale(float before, float after) {
        return (float) atol + (float) rtol * Math.max(Math.abs(before), Math.abs(after));
    }

    private static double square(float value) {
        return (double) value * value;
    }

    private static float[] plus(float[] y, double[] shares, List<float[]> slopes, double step) {
        float[] result = sum(shares, slopes, step);
        for (int i = 0; i < y.length; i++) {
            result[i] = y[i] + result[i];
        }
        return result;
    }

    private static float[] sum(double[] shares, List<float[]> slopes, double step) {
        float[] sum = new float[slopes.getFirst().length];
        for (int k = 0; k < shares.length; k++) {
            float share = share(shares[k], step);
            float[] slope = slopes.get(k);
            for (int i = 0; share != 0 && i < sum.length; i++) {
                sum[i] += slope[i] * share;
            }
        }
        return sum;
    }

    private static float share(double ofStep, double step) {
        return (float) ofStep * (float) step;
    }

    /** A state whose other slopes do not matter: they are the first once more. */
    private static List<float[]> state(float[] x, float[] y, float[] slope, float[] clock) {
        float[][] arrays = new float[CLOCK + 1][];
        Arrays.fill(arrays, slope);
        arrays[X] = x;
        arrays[Y] = y;
        arrays[CLOCK] = clock;
        return List.of(arrays);
    }

    private static float[] clock(double time, double step, int length) {
        float[] clock = new float[length];
        put(clock, TIME, time);
        put(clock, STEP, step);
        return clock;
    }

    private static void put(float[] clock, int at, double number) {
        double rest = number;
        for (int part = 0; part < STEP - TIME; part++) {
            clock[at + part] = (float) rest;
            rest -= clock[at + part];
        }
    }

    private static double number(float[] clock, int at) {
        return (double) clock[at] + clock[at + 1] + clock[at + 2];
    }
}
