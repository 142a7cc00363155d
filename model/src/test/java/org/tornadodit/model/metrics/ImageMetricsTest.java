package org.tornadodit.model.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ImageMetricsTest {

    static List<MetricReferences.Pair> pairs() throws IOException {
        return MetricReferences.pairs();
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void equalsTorchmetrics(MetricReferences.Pair pair) throws IOException {
        RgbImage baseline = pair.baseline();
        RgbImage candidate = Lanczos.resize(pair.candidate(), baseline.width(), baseline.height());
        ImageMetrics actual = ImageMetrics.compare(baseline, candidate);

        assertClose("MAE", pair.value("mae").orElseThrow(), actual.mae(), 1e-12);
        double psnr = pair.value("psnr").orElseThrow();
        // Two black images: 0/0 there, equal here.
        assertClose("PSNR", Double.isNaN(psnr) ? Double.POSITIVE_INFINITY : psnr, actual.psnr(), 1e-6);
        double ssim = pair.value("ssim_float64").orElse(Double.NaN);
        if (Math.min(baseline.width(), baseline.height()) < Ssim.MIN_SIZE) {
            assertTrue(Double.isNaN(actual.ssim()));
        } else if (ImageMetrics.range(baseline) == 0 && ImageMetrics.range(candidate) == 0) {
            // Without a range the window's rounding errors decide there.
            assertEquals(Ssim.flat(baseline.level(0), candidate.level(0)), actual.ssim());
        } else {
            // That one has levels / 255 rounded to float32 first.
            assertClose("SSIM", ssim, actual.ssim(), 1e-7);
            // What evaluate.py prints is float32, whose sums of squares lose five digits.
            assertClose("SSIM in float32", pair.value("ssim").orElseThrow(), actual.ssim(), 1e-4);
        }
    }

    @Test
    void ssimIsOneForEqualImagesAndSymmetric() {
        long seed = 17;
        RgbImage a = random(40, 150, seed);
        RgbImage b = random(40, 150, seed + 1);
        assertEquals(1, ImageMetrics.compare(a, a).ssim(), 1e-12);
        assertEquals(
                ImageMetrics.compare(a, b).ssim(), ImageMetrics.compare(b, a).ssim(), 1e-12, "seed " + seed);
    }

    /** The formula as it stands, with a two-dimensional window, for images that end within a band of rows. */
    @Test
    void ssimAgreesWithItsDefinition() {
        long seed = 3;
        RgbImage a = random(9, 131, seed);
        RgbImage b = random(9, 131, seed + 1);
        assertEquals(ssimByDefinition(a, b), ImageMetrics.compare(a, b).ssim(), 1e-12, "seed " + seed);
    }

    @Test
    void refusesOtherSizes() {
        IllegalArgumentException error = assertThrows(
                IllegalArgumentException.class, () -> ImageMetrics.compare(random(8, 9, 1), random(9, 8, 1)));
        assertEquals("candidate of 9 x 8 pixels, baseline of 8 x 9 pixels", error.getMessage());
    }

    @Test
    void measuresAGridOfEightImagesInTime() {
        RgbImage a = random(2058, 1030, 1);
        RgbImage b = random(2058, 1030, 2);
        ImageMetrics.compare(a, b);
        long start = System.nanoTime();
        ImageMetrics.compare(a, b);
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf("2058 x 1030 pixels: %.2f s%n", seconds);
        assertTrue(seconds < 10, "took " + seconds + " s");
    }

    private static void assertClose(String what, double expected, double actual, double relative) {
        if (Double.compare(expected, actual) != 0) {
            double error = Math.abs(actual - expected);
            assertTrue(
                    error <= relative * Math.abs(expected),
                    "%s: %s, expected %s, relative error %.3g"
                            .formatted(what, actual, expected, error / Math.abs(expected)));
        }
    }

    static RgbImage random(int width, int height, long seed) {
        byte[] levels = new byte[width * height * RgbImage.CHANNELS];
        new Random(seed).nextBytes(levels);
        return new RgbImage(width, height, levels);
    }

    private static double ssimByDefinition(RgbImage a, RgbImage b) {
        double range = Math.max(ImageMetrics.range(a), ImageMetrics.range(b)) / 255.0;
        double c1 = Math.pow(0.01 * range, 2);
        double c2 = Math.pow(0.03 * range, 2);
        double norm = 0;
        for (int i = -5; i <= 5; i++) {
            norm += Math.exp(-i * i / 4.5);
        }
        double sum = 0;
        for (int channel = 0; channel < 3; channel++) {
            for (int y = 0; y < a.height(); y++) {
                for (int x = 0; x < a.width(); x++) {
                    double[] m = new double[5];
                    for (int dy = -5; dy <= 5; dy++) {
                        for (int dx = -5; dx <= 5; dx++) {
                            double w = Math.exp(-(dx * dx + dy * dy) / 4.5) / (norm * norm);
                            int px = mirror(x + dx, a.width());
                            int py = mirror(y + dy, a.height());
                            double va = a.level(px, py, channel) / 255.0;
                            double vb = b.level(px, py, channel) / 255.0;
                            m[0] += w * va;
                            m[1] += w * vb;
                            m[2] += w * va * va;
                            m[3] += w * vb * vb;
                            m[4] += w * va * vb;
                        }
                    }
                    double va = m[2] - m[0] * m[0];
                    double vb = m[3] - m[1] * m[1];
                    double cov = m[4] - m[0] * m[1];
                    sum += (2 * m[0] * m[1] + c1)
                            * (2 * cov + c2)
                            / ((m[0] * m[0] + m[1] * m[1] + c1) * (va + vb + c2));
                }
            }
        }
        return sum / (3.0 * a.width() * a.height());
    }

    private static int mirror(int i, int size) {
        return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i;
    }
}
