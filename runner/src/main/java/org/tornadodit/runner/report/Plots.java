package org.tornadodit.runner.report;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** The report's plots. */
final class Plots {
    private static final int WIDTH = 940;

    /** On a longer axis, nothing could be told apart. */
    private static final int MOST_DECADES = 60;

    private Plots() {}

    /**
     * A kernel on the roofline.
     *
     * @param intensity operations a byte
     * @param rate operations a second
     */
    record Point(String label, double intensity, double rate) {}

    /**
     * A roofline (S. Williams et al., Roofline: an insightful visual performance model, 2009): what memory and arithmetic
     * allow at each number of operations a byte, and where the kernels are.
     *
     * @param bandwidth bytes a second; empty where it was not measured
     * @param roofs operations a second that kinds of arithmetic reach
     */
    static Svg roofline(OptionalDouble bandwidth, Map<String, Double> roofs, List<Point> points) {
        double highest =
                roofs.values().stream().mapToDouble(Double::doubleValue).max().orElse(1e12);
        double least = points.stream().mapToDouble(Point::intensity).min().orElse(1);
        double most = points.stream().mapToDouble(Point::intensity).max().orElse(100);
        double lastRidge = bandwidth.isPresent() ? highest / bandwidth.getAsDouble() : least;
        Axis x = Axis.around(Math.min(least, lastRidge) / 3, Math.max(most, lastRidge) * 2);
        double lowest = Math.min(
                points.stream().mapToDouble(Point::rate).min().orElse(1e11),
                bandwidth.orElse(Double.POSITIVE_INFINITY) * Math.pow(10, x.from()));
        Axis y = Axis.around(lowest / 1.5, highest * 1.5);
        int left = 70;
        int right = 560;
        int top = 15;
        int bottom = 400;
        Svg svg = new Svg(WIDTH, 450, "Roofline");
        for (double decade : x.ticks()) {
            double at = x.at(decade, left, right);
            svg.line(at, top, at, bottom, "grid").text(at, bottom + 20, "middle", "figure", number(decade));
        }
        for (double decade : y.ticks()) {
            double at = y.at(decade, bottom, top);
            svg.line(left, at, right, at, "grid").text(left - 8, at + 4, "end", "figure", number(decade / 1e12));
        }
        svg.text((left + right) / 2.0, bottom + 42, "middle", "label", "operations a byte")
                .rotated(18, (top + bottom) / 2.0, "label", "TFLOP/s");
        roofs.forEach((name, roof) -> {
            double ridge = Math.max(bandwidth.isPresent() ? roof / bandwidth.getAsDouble() : 0, Math.pow(10, x.from()));
            double at = y.at(roof, bottom, top);
            svg.line(x.at(ridge, left, right), at, right, at, "roof");
            svg.text(right - 4, at - 6, "end", "figure", name + ", " + number(roof / 1e12) + " TFLOP/s");
        });
        bandwidth.ifPresent(slope -> {
            double start = Math.max(Math.pow(10, x.from()), Math.pow(10, y.from()) / slope);
            double end = Math.min(Math.pow(10, x.to()), highest / slope);
            svg.line(
                    x.at(start, left, right),
                    y.at(start * slope, bottom, top),
                    x.at(end, left, right),
                    y.at(end * slope, bottom, top),
                    "roof");
            svg.text(left + 8, top + 14, "start", "figure", "slope: memory, %s GB/s".formatted(number(slope / 1e9)));
        });
        for (int i = 0; i < points.size(); i++) {
            Point point = points.get(i);
            double px = x.at(point.intensity(), left, right);
            double py = y.at(point.rate(), bottom, top);
            String mark = String.valueOf(i + 1);
            // Neighbours' numbers stand at different heights.
            double off = 14 + 13 * (i % 3);
            svg.dot(px, py, 4.5, "point").text(px, py + off + 4, "middle", "mark", mark);
            svg.text(right + 30, top + 16 + 20 * i, "start", "mark", mark);
            svg.text(right + 52, top + 16 + 20 * i, "start", "label", point.label());
        }
        return svg.line(left, bottom, right, bottom, "axis").line(left, top, left, bottom, "axis");
    }

    /** A logarithmic axis between two powers of ten. */
    private record Axis(double from, double to) {
        static Axis around(double least, double most) {
            double low = Math.log10(least);
            return new Axis(low, Math.max(Math.log10(most), low + 0.5));
        }

        double at(double value, double first, double last) {
            return first + (Math.log10(value) - from) / (to - from) * (last - first);
        }

        /** The powers of ten on it, with twos and fives where these are few; none where there are too many. */
        double[] ticks() {
            if (!(to - from <= MOST_DECADES)) { // nor where an end is not finite
                return new double[0];
            }
            double[] steps = to - from < 3 ? new double[] {1, 2, 5} : new double[] {1};
            return IntStream.rangeClosed((int) Math.floor(from), (int) Math.ceil(to))
                    .mapToObj(power -> Arrays.stream(steps).map(step -> step * Math.pow(10, power)))
                    .flatMapToDouble(ticks -> ticks)
                    .filter(tick -> Math.log10(tick) >= from && Math.log10(tick) <= to)
                    .toArray();
        }
    }

    /** Three digits or what is before the point. */
    static String number(double value) {
        if (value != 0 && Math.abs(value) < 0.01) {
            return String.format(Locale.ROOT, "%.1e", value);
        }
        int digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
        String text = String.format(Locale.ROOT, "%." + digits + "f", value);
        return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
    }
}
