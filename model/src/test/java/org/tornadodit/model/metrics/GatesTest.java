package org.tornadodit.model.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GatesTest {

    private static final OptionalDouble NO_LPIPS = OptionalDouble.empty();

    @Test
    void holdAtTheirBounds() {
        assertEquals(List.of(), Gates.STRICT.failures(new ImageMetrics(0.01, 40.001, 0.99), OptionalDouble.of(0.01)));
        assertEquals(List.of(), Gates.FINAL.failures(new ImageMetrics(80, 5.01, 0.3), OptionalDouble.of(0.7)));
        assertEquals(List.of(), Gates.STRICT.failures(new ImageMetrics(0, Double.POSITIVE_INFINITY, 1), NO_LPIPS));
    }

    @Test
    void sayWhatFailsAndByHowMuch() {
        assertEquals(
                List.of(
                        "mean absolute difference 0.023000, at most 0.01: over by 0.013000",
                        "LPIPS 0.012000, at most 0.01: over by 0.002000",
                        "PSNR in dB 40.000000, must exceed 40.0: short by 0.000000",
                        "SSIM 0.970000, at least 0.99: short by 0.020000"),
                Gates.STRICT.failures(new ImageMetrics(0.023, 40, 0.97), OptionalDouble.of(0.012)));
    }

    @Test
    void failWhatWasNotMeasured() {
        assertEquals(
                List.of("SSIM not measured, at least 0.99"),
                Gates.STRICT.failures(new ImageMetrics(0, Double.POSITIVE_INFINITY, Double.NaN), NO_LPIPS));
        assertEquals(
                List.of("LPIPS not measured, at most 0.7"),
                Gates.FINAL.failures(new ImageMetrics(0, 50, 1), OptionalDouble.of(Double.NaN)));
    }

    @ParameterizedTest
    @CsvSource({
        "STRICT, 400, 0",
        "STRICT, 300, 0",
        "STRICT, 250, 8.298",
        "STRICT, 200, 18.454",
        "STRICT, 150, 31.546",
        "STRICT, 100, 50",
        "STRICT, 1, 50",
        "FINAL, 360, 0",
        "FINAL, 100, 71.490",
        "FINAL, 60, 100",
        "FINAL, 5, 100"
    })
    void scoreTimes(Score rules, double seconds, double points) {
        assertEquals(points, rules.points(seconds), 5e-4);
    }

    @Test
    void scoreNoOtherNumbers() {
        assertThrows(IllegalArgumentException.class, () -> Score.FINAL.points(0));
        assertThrows(IllegalArgumentException.class, () -> Score.FINAL.points(-3));
        assertThrows(IllegalArgumentException.class, () -> Score.FINAL.points(Double.NaN));
    }
}
