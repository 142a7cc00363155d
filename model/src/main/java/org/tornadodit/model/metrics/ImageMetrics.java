package org.tornadodit.model.metrics;

/**
 * How far a candidate is from its baseline, by the measures of the challenge's evaluate.py that need no weights. Values
 * are those of torchmetrics' metrics with their defaults, computed in double precision.
 *
 * @param mae mean absolute difference in levels, 0 to 255
 * @param psnr peak signal-to-noise ratio in dB; infinite for equal images
 * @param ssim structural similarity, at most 1; NaN when the images are smaller than {@link Ssim#MIN_SIZE}
 */
public record ImageMetrics(double mae, double psnr, double ssim) {

    /**
     * Compares two images of one size.
     *
     * <p>PSNR is {@code 10 log10(range^2 / mse)}. Without a {@code data_range}, torchmetrics (up to 1.7) takes the range of
     * the second image, widened to contain 0: the largest level of the candidate.
     *
     * @throws IllegalArgumentException when the sizes differ
     */
    public static ImageMetrics compare(RgbImage baseline, RgbImage candidate) {
        if (!baseline.sameSize(candidate)) {
            throw new IllegalArgumentException("candidate of %s, baseline of %s".formatted(candidate, baseline));
        }
        long absolute = 0;
        long squared = 0;
        int peak = 0;
        for (int i = 0; i < baseline.size(); i++) {
            int difference = baseline.level(i) - candidate.level(i);
            absolute += Math.abs(difference);
            squared += difference * difference;
            peak = Math.max(peak, candidate.level(i));
        }
        double mse = (double) squared / baseline.size();
        double psnr = squared == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10((double) peak * peak / mse);
        return new ImageMetrics((double) absolute / baseline.size(), psnr, Ssim.compare(baseline, candidate));
    }

    /** Heap in bytes that {@link #compare} takes at most, without the images. */
    public static long heapBytes(int width, int height) {
        return Ssim.heapBytes(width, height);
    }

    /** The largest level minus the smallest; as a share of 255, torchmetrics' data range of an image. */
    static int range(RgbImage image) {
        int lowest = 255;
        int highest = 0;
        for (int i = 0; i < image.size(); i++) {
            lowest = Math.min(lowest, image.level(i));
            highest = Math.max(highest, image.level(i));
        }
        return highest - lowest;
    }
}
