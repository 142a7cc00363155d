package org.tornadodit.model.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.cpu.CpuFeatureConvolution;
import org.tornadodit.model.cpu.Workers;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LpipsTest {

    private Workers workers;
    private LpipsWeights weights;
    private Lpips lpips;

    @BeforeAll
    void makeWeights() {
        workers = Workers.ofAllCores();
        weights = HashedVgg.weights();
        lpips = new Lpips(weights, new CpuFeatureConvolution(workers));
    }

    @AfterAll
    void endThreads() {
        workers.close();
    }

    static List<MetricReferences.Pair> pairs() throws IOException {
        return MetricReferences.pairs().stream()
                .filter(pair -> pair.has("lpips_float64"))
                .toList();
    }

    /** The hash gives the weights that the reference had. */
    @Test
    void hasTheReferencesWeights() throws IOException {
        JsonObject check = MetricReferences.read().json().getAsJsonObject("vgg_check");
        for (int layer = 0; layer < 13; layer++) {
            JsonObject expected = check.getAsJsonObject("conv" + layer);
            Tensor weight = weights.convolutions().get(layer).weight();
            double sum = 0;
            for (float value : weight.toArray()) {
                sum += value;
            }
            assertEquals(expected.get("weight_sum_double").getAsDouble(), sum, 1e-9);
            assertEquals(
                    expected.getAsJsonArray("first_weights").get(3).getAsDouble(), weight.get(3), "layer " + layer);
            assertEquals(
                    expected.getAsJsonArray("first_biases").get(1).getAsDouble(),
                    weights.convolutions().get(layer).bias().get(1));
        }
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void equalsTorchmetrics(MetricReferences.Pair pair) throws IOException {
        RgbImage baseline = pair.baseline();
        RgbImage candidate = Lanczos.resize(pair.candidate(), baseline.width(), baseline.height());
        double expected = pair.value("lpips_float64").orElseThrow();
        double actual = lpips.compare(baseline, candidate);
        System.out.printf("LPIPS %s: %.9f, expected %.9f, error %.2g%n", pair, actual, expected, actual - expected);
        assertEquals(expected, actual, 1e-7 + 1e-5 * expected);
        assertEquals(pair.value("lpips").orElseThrow(), actual, 1e-5);
    }

    /** Bands overlap by what the convolutions need: an image higher than several bands agrees with its definition. */
    @Test
    void doesNotDependOnBands() {
        RgbImage a = ImageMetricsTest.random(19, 83, 1);
        RgbImage b = ImageMetricsTest.random(19, 83, 2);
        double whole = lpips.compare(a, b);
        double plain = new Lpips(weights, PlainConvolution::layer).compare(a, b);
        assertEquals(plain, whole, 1e-6 * plain);
    }

    @Test
    void isNothingForEqualImages() {
        RgbImage image = ImageMetricsTest.random(33, 47, 1);
        assertEquals(0, lpips.compare(image, image));
    }

    @Test
    void refusesImagesThatVanishInThePoolings() {
        RgbImage image = ImageMetricsTest.random(15, 40, 1);
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> lpips.compare(image, image));
        assertEquals(
                "candidate of 15 x 40 pixels, baseline of 15 x 40 pixels: LPIPS needs one size, at least 16 x 16",
                error.getMessage());
    }

    @Test
    void needsBoundedMemory() {
        assertTrue(Lpips.bytes(2058, 1030) < 600e6, Lpips.bytes(2058, 1030) + " bytes");
    }
}
