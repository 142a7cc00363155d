package org.tornadodit.model.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Dormand and Prince's method on equations whose solutions are known; against PyTorch see the runner's references. */
class Dopri5Test {
    private static final int ELEMENTS = 16;

    private int calls;

    private interface Velocity {
        double of(double t, double y);
    }

    private float[] solve(double atol, double rtol, Velocity velocity) {
        AdaptiveSampler sampler = new Dopri5(atol, rtol);
        float[] start = new float[ELEMENTS];
        for (int i = 0; i < start.length; i++) {
            start[i] = 1 + i / 10f;
        }
        List<float[]> state = List.of(start);
        calls = 0;
        while (!sampler.isFinished(calls, state)) {
            double time = sampler.step(calls, state).time();
            float[] output = new float[ELEMENTS];
            for (int i = 0; i < output.length; i++) {
                output[i] = (float) velocity.of(time, state.getFirst()[i]);
            }
            state = after(sampler, calls, state, output);
            assertEquals(1 + sampler.history(), state.size());
            calls++;
        }
        return state.getFirst();
    }

    /** As engines do it: by the update between decisions, and by the host, who finds the output in the place of the latents, for them. */
    private static List<float[]> after(AdaptiveSampler sampler, int done, List<float[]> state, float[] output) {
        List<float[]> on = sampler.step(done, state).take(1, state, output, null);
        return sampler.decides(done) ? sampler.next(done, done > 0 ? on : state, on.getFirst()) : on;
    }

    /**
     * The updates of a step give what float64 arithmetic with the tableau of Dormand and Prince gives (Hairer, Norsett and Wanner, Solving
     * Ordinary Differential Equations I, table 5.2), and bits of float32 operations one by one.
     */
    @Test
    void stagesFollowTheTableau() {
        double[][] tableau = {
            {3 / 40.0, 9 / 40.0},
            {44 / 45.0, -56 / 15.0, 32 / 9.0},
            {19372 / 6561.0, -25360 / 2187.0, 64448 / 6561.0, -212 / 729.0},
            {9017 / 3168.0, -355 / 33.0, 46732 / 5247.0, 49 / 176.0, -5103 / 18656.0},
            {35 / 384.0, 0, 500 / 1113.0, 125 / 192.0, -2187 / 6784.0, 11 / 84.0},
        };
        AdaptiveSampler sampler = new Dopri5(1e-6, 1e-3);
        Random random = new Random(5);
        List<float[]> state = List.of(normals(random));
        for (int call = 0; call < 2; call++) {
            assertTrue(sampler.decides(call));
            state = after(sampler, call, state, normals(random));
        }
        float[] y = state.get(1);
        double step = (sampler.step(2, state).time()) * 5;
        List<float[]> slopes = new ArrayList<>(List.of(state.get(2)));
        for (int stage = 0; stage < tableau.length; stage++) {
            assertFalse(sampler.decides(2 + stage));
            float[] output = normals(random);
            slopes.add(output);
            List<float[]> next = after(sampler, 2 + stage, state, output);
            for (int i = 0; i < ELEMENTS; i++) {
                double exact = 0;
                float rounded = 0;
                for (int k = 0; k < slopes.size(); k++) {
                    exact += tableau[stage][k] * step * slopes.get(k)[i];
                    float share = (float) tableau[stage][k] * (float) step;
                    float product = slopes.get(k)[i] * share;
                    rounded = share == 0 ? rounded : rounded + product;
                }
                assertEquals(y[i] + exact, next.getFirst()[i], 1e-6, "stage " + stage);
                assertEquals(y[i] + rounded, next.getFirst()[i], "stage " + stage);
            }
            assertKeptAll(state, next, stage, output);
            state = next;
        }
        assertTrue(sampler.decides(7));
    }

    /** Nothing but the input and the new slope changes. */
    private static void assertKeptAll(List<float[]> before, List<float[]> after, int stage, float[] output) {
        assertEquals(9, after.size());
        for (int array = 1; array < 9; array++) {
            assertArrayEquals(array == 3 + stage ? output : before.get(array), after.get(array), "array " + array);
        }
    }

    private static float[] normals(Random random) {
        float[] values = new float[ELEMENTS];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** y' = y cos(6 t): y = y0 exp(sin(6 t) / 6). */
    @ParameterizedTest
    @ValueSource(doubles = {1e-2, 1e-3, 1e-4, 1e-5})
    void isAsGoodAsItsTolerance(double rtol) {
        float[] found = solve(1e-6, rtol, (t, y) -> y * Math.cos(6 * t));
        for (int i = 0; i < found.length; i++) {
            double expected = (1 + i / 10.0) * Math.exp(Math.sin(6) / 6);
            assertEquals(expected, found[i], 20 * rtol * expected, "of " + calls + " calls");
        }
        assertEquals(2, calls % 6, "six calls a step");
    }

    @Test
    void finerTolerancesTakeMoreCalls() {
        solve(1e-6, 1e-2, (t, y) -> y * Math.cos(6 * t));
        int coarse = calls;
        solve(1e-6, 1e-5, (t, y) -> y * Math.cos(6 * t));
        assertTrue(calls > coarse, calls + " and " + coarse);
    }

    /** The jump is found by steps that are refused. */
    @Test
    void refusesStepsAcrossAJump() {
        float[] found = solve(1e-6, 1e-4, (t, y) -> t < 0.3 ? 1 : -2);
        for (int i = 0; i < found.length; i++) {
            assertEquals(
                    1 + i / 10.0 + 0.3 - 1.4, found[i], 0.06); // the estimate hardly sees a jump in the first third
        }
        int jump = calls;
        solve(1e-6, 1e-4, (t, y) -> 1);
        assertTrue(jump > 3 * calls, jump + " and " + calls);
    }

    @Test
    void whatIsNoVelocityEndsInALine() {
        IllegalStateException small = assertThrows(
                IllegalStateException.class, () -> solve(1e-6, 1e-3, (t, y) -> 1e6 * Math.sin(1e12 * (t + y))));
        assertTrue(
                String.valueOf(small.getMessage())
                        .matches(
                                "dopri5's steps have become too small at t = .* raise --rtol or --atol|dopri5 does not arrive"
                                        + " in 100000 calls of the model .* raise --rtol"),
                small.getMessage());
    }

    @Test
    void aWholeSampleHasRoomForTheClock() {
        assertEquals(
                "latents of 4 values: dopri5 takes at least 7",
                assertThrows(
                                IllegalStateException.class,
                                () -> new Dopri5(1e-6, 1e-3).next(0, List.of(new float[4]), new float[4]))
                        .getMessage());
    }

    /** A double is three floats of the state: times differ from one another by fractions of the step, to the last bit. */
    @Test
    void timesAreKeptToTheBit() {
        AdaptiveSampler sampler = new Dopri5(1e-7, 1e-6);
        List<float[]> state = List.of(new float[] {1, 2, 3, 4, 5, 6, 7});
        List<Double> times = new ArrayList<>();
        for (int call = 0; !sampler.isFinished(call, state); call++) {
            times.add(sampler.step(call, state).time());
            state = after(sampler, call, state, state.getFirst().clone());
        }
        double begin = 0;
        int accepted = 0;
        for (int step = 2; step < times.size(); step += 6) {
            double end = times.get(step + 5);
            double length = end - begin;
            assertEquals(begin + length / 5, times.get(step), Math.ulp(end), "first stage at " + step);
            assertEquals(begin + 0.3 * length, times.get(step + 1), Math.ulp(end), "second");
            assertEquals(end, times.get(step + 4), "the last two stages are at the end");
            begin = end;
            accepted++;
        }
        assertTrue(accepted > 3 && begin >= 1, accepted + " steps to " + begin);
        assertEquals(0, sampler.draws(1000));
        assertEquals("Dormand-Prince (atol 1.0E-7, rtol 1.0E-6)", sampler.inWords());
    }
}
