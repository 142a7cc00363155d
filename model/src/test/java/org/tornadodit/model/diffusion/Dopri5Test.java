package org.tornadodit.model.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
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
            state = sampler.next(calls, state, output);
            assertEquals(1 + sampler.history(), state.size());
            calls++;
        }
        return state.getFirst();
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
                        .matches("dopri5's steps have become too small at t = .* raise --rtol or --atol|dopri5 has not"
                                + " arrived after 100000 calls of the model .* raise --rtol"),
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
            state = sampler.next(call, state, state.getFirst().clone());
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
