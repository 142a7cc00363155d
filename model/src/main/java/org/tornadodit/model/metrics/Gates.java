package org.tornadodit.model.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * Bounds that a result has to keep.
 *
 * @param name as on the command line
 * @param maxMae largest mean absolute difference, 0 to 255
 * @param maxLpips largest LPIPS
 * @param minSsim smallest SSIM
 * @param minPsnr PSNR in dB that has to be exceeded
 */
public record Gates(String name, double maxMae, double maxLpips, double minSsim, double minPsnr) {

    /** The challenge's rules: the image of strict FP32, for the eye and for the numbers. */
    public static final Gates STRICT = new Gates("strict", 0.01, 0.01, 0.99, 40);

    /** The challenge's final public rules: a recognisable image. */
    public static final Gates FINAL = new Gates("final", 80, 0.7, 0.3, 5);

    /**
     * The gates that fail, one line each, such as {@code SSIM 0.970000, at least 0.99: short by 0.020000}; none when
     * all hold. An LPIPS that was not measured is not judged; a value that is not a number fails.
     *
     * @param lpips empty when there were no weights
     */
    public List<String> failures(ImageMetrics metrics, OptionalDouble lpips) {
        List<String> failures = new ArrayList<>();
        atMost(failures, "mean absolute difference", metrics.mae(), maxMae);
        lpips.ifPresent(value -> atMost(failures, "LPIPS", value, maxLpips));
        if (!(metrics.psnr() > minPsnr)) {
            failures.add(line("PSNR in dB", metrics.psnr(), "must exceed", minPsnr, "short", minPsnr - metrics.psnr()));
        }
        if (!(metrics.ssim() >= minSsim)) {
            failures.add(line("SSIM", metrics.ssim(), "at least", minSsim, "short", minSsim - metrics.ssim()));
        }
        return failures;
    }

    private static void atMost(List<String> failures, String what, double value, double bound) {
        if (!(value <= bound)) {
            failures.add(line(what, value, "at most", bound, "over", value - bound));
        }
    }

    private static String line(String what, double value, String relation, double bound, String side, double by) {
        if (Double.isNaN(value)) {
            return "%s not measured, %s %s".formatted(what, relation, bound);
        }
        return String.format(Locale.ROOT, "%s %.6f, %s %s: %s by %.6f", what, value, relation, bound, side, by);
    }
}
