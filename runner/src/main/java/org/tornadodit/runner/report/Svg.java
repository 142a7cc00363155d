package org.tornadodit.runner.report;

import java.util.Locale;

/** A drawing under construction; lengths are pixels, y grows downwards. */
final class Svg {
    private final StringBuilder body = new StringBuilder();
    private final int width;
    private final int height;
    private final String title;

    /** @param title for those who hear the page */
    Svg(int width, int height, String title) {
        this.width = width;
        this.height = height;
        this.title = title;
    }

    Svg line(double x1, double y1, double x2, double y2, String style) {
        body.append(format(
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, style));
        return this;
    }

    Svg dot(double x, double y, double radius, String style) {
        body.append(format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" class=\"%s\"/>\n", x, y, radius, style));
        return this;
    }

    /** @param anchor start, middle or end */
    Svg text(double x, double y, String anchor, String style, String text) {
        body.append(format(
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">%s</text>\n",
                x, y, anchor, style, escape(text)));
        return this;
    }

    Svg rotated(double x, double y, String style, String text) {
        body.append(format(
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" class=\"%s\" transform=\"rotate(-90 %.1f"
                        + " %.1f)\">%s</text>\n",
                x, y, style, x, y, escape(text)));
        return this;
    }

    @Override
    public String toString() {
        return format(
                        "<svg viewBox=\"0 0 %d %d\" role=\"img\""
                                + " xmlns=\"http://www.w3.org/2000/svg\"><title>%s</title>\n",
                        width, height, escape(title))
                + body + "</svg>";
    }

    /** Text as HTML and SVG want it. */
    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replaceAll("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]", "\ufffd");
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
