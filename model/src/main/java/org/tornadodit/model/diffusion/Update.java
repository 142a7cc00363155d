package org.tornadodit.model.diffusion;

import java.util.List;

/**
 * What a step makes of the latents x, the estimate x0 of the data, and a normal z: scalars as float32, for the reference
 * casts its float64 tables when it takes an entry out. Every operation is rounded to float32.
 */
public sealed interface Update {

    /** Whether the step uses noise. */
    boolean noisy();

    /**
     * DDPM: {@code (ofStart x0 + ofX x) + noiseMask exp(logVariance / 2) z}. With a learned variance v,
     * {@code f = (v + 1) / 2} and {@code logVariance = f maxLogVariance + (1 - f) minLogVariance}; without, it is
     * {@code fixedLogVariance}.
     *
     * @param ofStart beta_t sqrt(abar_{t-1}) / (1 - abar_t)
     * @param ofX (1 - abar_{t-1}) sqrt(alpha_t) / (1 - abar_t)
     * @param minLogVariance ln of the posterior variance; the last step's is 0 and takes the one's before instead
     * @param maxLogVariance ln beta_t
     * @param fixedLogVariance for models that learn none: ln beta_t, in the last step minLogVariance
     * @param noiseMask 0 in the last step, 1 before
     */
    record Ancestral(
            float ofStart,
            float ofX,
            float minLogVariance,
            float maxLogVariance,
            float fixedLogVariance,
            float noiseMask)
            implements Update {
        @Override
        public boolean noisy() {
            return true;
        }

        float logVariance(float learned) {
            float fraction = (learned + 1) / 2;
            return fraction * maxLogVariance + (1 - fraction) * minLogVariance;
        }

        float next(float x, float start, float logVariance, float z) {
            float mean = ofStart * start + ofX * x;
            return mean + noiseMask * (float) Math.exp(0.5f * logVariance) * z;
        }
    }

    /**
     * DDIM: {@code e = (a x - x0) / b} with the estimate's own line, epsilon once more, and
     * {@code (x0 ofStart + direction e) + noiseMask sigma z}.
     *
     * @param ofStart sqrt(abar_{t-1})
     * @param direction sqrt(1 - abar_{t-1} - sigma^2)
     * @param sigma eta sqrt((1 - abar_{t-1}) / (1 - abar_t)) sqrt(1 - abar_t / abar_{t-1})
     * @param noiseMask 0 in the last step, 1 before
     */
    record Implicit(float ofStart, float direction, float sigma, float noiseMask) implements Update {
        @Override
        public boolean noisy() {
            return sigma != 0;
        }

        float next(Prediction.StartEstimate line, float x, float start, float z) {
            // Derived again from x_0, as the reference does; it rounds differently from eps.
            float derived = (line.ofX() * x - start) / line.ofOutput();
            float mean = start * ofStart + direction * derived;
            return mean + noiseMask * sigma * z;
        }
    }

    /**
     * DPM-Solver++ of order 1 or 2: {@code (ofStart x0 + ofX x) + ofDifference (x0 - previous) + sigma z}, where previous is
     * the x0 of the step before, the only array of its history.
     *
     * @param ofStart alpha_t (1 - exp(-h)); for the SDE with 2 h
     * @param ofX sigma_t / sigma_s; for the SDE times exp(-h)
     * @param ofDifference alpha_t (1 - exp(-h)) / (2 r); 0 for order 1
     * @param sigma of fresh noise; 0 for the ODE, and in a last step to no noise
     */
    record Multistep(float ofStart, float ofX, float ofDifference, float sigma) implements Update {
        @Override
        public boolean noisy() {
            return sigma != 0;
        }

        float next(float x, float start, float previous, float z) {
            return (ofStart * start + ofX * x) + ofDifference * (start - previous) + sigma * z;
        }
    }

    /**
     * UniPC of order 1 or 2. Its history is the x0 of the step before, and what of the correction was known then:
     *
     * <pre>
     * corrected = correctionOfX x + kept + correctionOfStart x0           kept is 0 and x itself correct in the first step
     * x'    = (ofStart x0 + ofX corrected) + ofDifference (x0 - previous)
     * kept' = (keptOfStart x0 + ofX corrected) + keptOfDifference (x0 - previous)
     * </pre>
     *
     * @param correctionOfX 1 in the first step, 0 afterwards
     * @param correctionOfStart -alpha B rho_1 of the step before; 0 in the first
     * @param ofX sigma_t / sigma_s
     * @param ofStart alpha_t (1 - exp(-h))
     * @param ofDifference alpha_t B / (2 r); 0 for order 1
     * @param keptOfStart ofStart + alpha_t B rho_1; 0 in the last step
     * @param keptOfDifference alpha_t B rho_0 / r; 0 for order 1
     */
    record PredictorCorrector(
            float correctionOfX,
            float correctionOfStart,
            float ofX,
            float ofStart,
            float ofDifference,
            float keptOfStart,
            float keptOfDifference)
            implements Update {
        @Override
        public boolean noisy() {
            return false;
        }

        float corrected(float x, float start, float kept) {
            return (correctionOfX * x + kept) + correctionOfStart * start;
        }

        float next(float corrected, float start, float previous) {
            return (ofStart * start + ofX * corrected) + ofDifference * (start - previous);
        }

        float keep(float corrected, float start, float previous) {
            return (keptOfStart * start + ofX * corrected) + keptOfDifference * (start - previous);
        }
    }

    /**
     * Of a model's output v: {@code ((ofX x + ofOutput v) + ofKept h) + ofNoise z}, and the only array of history h becomes
     * {@code keptX x + keptOutput v}. Where nothing of the history is read or written there may be none.
     *
     * @param ofX share of the latents
     * @param ofOutput of the model's output
     * @param ofKept of what the step before has kept
     * @param ofNoise of a normal
     * @param keptX what is kept: share of the latents
     * @param keptOutput and of the model's output
     */
    record Linear(float ofX, float ofOutput, float ofKept, float ofNoise, float keptX, float keptOutput)
            implements Update {

        /** From the latents. */
        static Linear move(double ofX, double ofOutput, double ofNoise) {
            return new Linear((float) ofX, (float) ofOutput, 0, (float) ofNoise, 0, 0);
        }

        /** As above, and keeps where the second half of the move begins. */
        static Linear moveAndKeep(double ofX, double ofOutput, double keptX, double keptOutput) {
            return new Linear((float) ofX, (float) ofOutput, 0, 0, (float) keptX, (float) keptOutput);
        }

        /** The second half of a move, from what was kept. */
        static Linear fromKept(double ofX, double ofOutput, double ofNoise) {
            return new Linear((float) ofX, (float) ofOutput, 1, (float) ofNoise, 0, 0);
        }

        @Override
        public boolean noisy() {
            return ofNoise != 0;
        }

        /** Whether there is a history. */
        public boolean keeps() {
            return ofKept != 0 || keptX != 0 || keptOutput != 0;
        }

        float next(float x, float output, float kept, float z) {
            return ofX * x + ofOutput * output + ofKept * kept + ofNoise * z;
        }

        float keep(float x, float output) {
            return keptX * x + keptOutput * output;
        }
    }

    /**
     * A stage of a Runge-Kutta method, whose history is where its step begins, y, and then its slopes v_1, v_2, ...: the model's
     * output becomes the next slope v_n, and {@code x' = y + (((0 + v_1 share_1) + v_2 share_2) + ... + v_n share_n)}. Without shares
     * x' is the output itself and the history stays: what a sampler takes that decides by it.
     *
     * @param shares of the slopes v_1 to v_n, times the step; none, or 2 to {@link #MOST}
     */
    record Stage(List<Float> shares) implements Update {
        /** Slopes that there is room for. */
        public static final int MOST = 6;

        /** The output itself. */
        static final Stage OUTPUT = new Stage(List.of());

        public Stage {
            shares = List.copyOf(shares);
            if (shares.size() == 1 || shares.size() > MOST) {
                throw new IllegalArgumentException(
                        "shares of %d slopes, expected none or 2 to %d".formatted(shares.size(), MOST));
            }
        }

        @Override
        public boolean noisy() {
            return false;
        }

        /** Slopes that are there before. */
        public int slopes() {
            return Math.max(0, shares.size() - 1);
        }

        /** x' at an element. */
        float next(List<float[]> state, int at, float output) {
            if (shares.isEmpty()) {
                return output;
            }
            float sum = 0;
            for (int k = 0; k < slopes(); k++) {
                sum += state.get(2 + k)[at] * shares.get(k);
            }
            sum += output * shares.getLast();
            return state.get(1)[at] + sum;
        }

        /** An element of an array of the history, 1 for y. */
        float keep(List<float[]> state, int array, int at, float output) {
            return !shares.isEmpty() && array == 2 + slopes() ? output : state.get(array)[at];
        }
    }
}
