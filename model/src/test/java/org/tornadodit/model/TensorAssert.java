package org.tornadodit.model;

import static org.junit.jupiter.api.Assertions.fail;

/**
 * The one assertion on floats. Passes when {@code |actual - expected| <= absolute + relative * |expected|} holds for
 * every element; otherwise it prints name, shape, worst index, both values and the share of the tolerance used.
 */
public final class TensorAssert {

    /** How far an element may be off: {@code absolute + relative * |expected|}. */
    public record Tolerance(double absolute, double relative) {
        public static Tolerance absolute(double absolute) {
            return new Tolerance(absolute, 0);
        }

        public static Tolerance relative(double relative) {
            return new Tolerance(0, relative);
        }

        double at(double expected) {
            return absolute + relative * Math.abs(expected);
        }
    }

    private TensorAssert() {}

    /** Compares element by element; NaN never passes. Prints and returns the share of the tolerance used. */
    public static double assertClose(String name, Shape shape, float[] actual, float[] expected, Tolerance tolerance) {
        if (actual.length != expected.length || shape.elements() != expected.length) {
            fail("%s: %d values, expected %d, of shape %s".formatted(name, actual.length, expected.length, shape));
        }
        int worst = -1;
        double share = -1;
        for (int i = 0; i < actual.length; i++) {
            double error = Math.abs((double) actual[i] - expected[i]);
            double used = error == 0 ? 0 : error / tolerance.at(expected[i]);
            if (Double.isNaN(used)) {
                used = Double.POSITIVE_INFINITY;
            }
            if (used > share) {
                share = used;
                worst = i;
            }
        }
        if (share > 1) {
            fail(line(name, shape, worst, actual[worst], expected[worst], share));
        }
        System.out.println(
                worst < 0 ? name + " " + shape : line(name, shape, worst, actual[worst], expected[worst], share));
        return share;
    }

    /**
     * Compares by the norm of the difference, {@code ||actual - expected|| / ||expected|| <= bound}: the measure of a
     * whole product or module, where single elements near zero have no relative accuracy to lose.
     */
    public static double assertRelativeError(
            String name, Shape shape, float[] actual, double[] expected, double bound) {
        if (actual.length != expected.length || shape.elements() != expected.length) {
            fail("%s: %d values, expected %d, of shape %s".formatted(name, actual.length, expected.length, shape));
        }
        double error = 0;
        double norm = 0;
        double largest = -1;
        int worst = 0;
        for (int i = 0; i < actual.length; i++) {
            double difference = Math.abs(actual[i] - expected[i]);
            error += difference * difference;
            norm += expected[i] * expected[i];
            if (!(difference <= largest)) {
                largest = difference;
                worst = i;
            }
        }
        double share = error == 0 ? 0 : Math.sqrt(error / norm) / bound;
        String line = line(name, shape, worst, actual[worst], expected[worst], share);
        if (!(share <= 1)) {
            fail(line + ", relative error " + Math.sqrt(error / norm));
        }
        System.out.println(line);
        return share;
    }

    /** {@link #assertRelativeError(String, Shape, float[], double[], double)} against float32 values. */
    public static double assertRelativeError(String name, Shape shape, float[] actual, float[] expected, double bound) {
        double[] wide = new double[expected.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = expected[i];
        }
        return assertRelativeError(name, shape, actual, wide, bound);
    }

    private static String line(String name, Shape shape, int index, double actual, double expected, double share) {
        return "%s %s: worst at %d: %s, expected %s, %.3f of the tolerance"
                .formatted(name, shape, index, actual, expected, share);
    }
}
