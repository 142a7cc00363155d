package org.tornadodit.runner.report;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A piece of a report, whatever it is written as. Text is plain: whoever writes it escapes it. */
sealed interface Block {

    /** A heading of level 1 to 3. */
    record Heading(int level, String text) implements Block {}

    /** A paragraph. */
    record Paragraph(String text) implements Block {}

    /** A table; cells beyond the first column are figures. Columns without any content are left out. */
    record Table(List<String> header, List<List<String>> rows) implements Block {
        public Table {
            List<List<String>> all = List.copyOf(rows);
            int[] kept = IntStream.range(0, header.size())
                    .filter(i ->
                            i == 0 || all.stream().anyMatch(row -> !row.get(i).isBlank()))
                    .toArray();
            header = pick(header, kept);
            rows = all.stream().map(row -> pick(row, kept)).toList();
        }

        private static List<String> pick(List<String> cells, int[] kept) {
            List<String> picked = new ArrayList<>();
            for (int i : kept) {
                picked.add(cells.get(i));
            }
            return List.copyOf(picked);
        }
    }

    /** Horizontal bars from 0, one below the other. */
    record Bars(List<Bar> bars, String caption) implements Block {
        public Bars {
            bars = List.copyOf(bars);
        }

        /** Length of the longest, more than 0. */
        double most() {
            return Math.max(
                    Double.MIN_NORMAL,
                    bars.stream().mapToDouble(Bar::value).max().orElse(1));
        }
    }

    /**
     * A bar.
     *
     * @param value its length, at least 0
     * @param text what stands at its end
     */
    record Bar(String label, double value, String text, boolean ours) {}

    /** Sentences, one below the other. */
    record Sentences(List<String> items) implements Block {
        public Sentences {
            items = List.copyOf(items);
        }
    }

    /** A plot. */
    record Figure(Svg plot, String caption) implements Block {}

    /** Commands. */
    record Code(List<String> lines) implements Block {
        public Code {
            lines = List.copyOf(lines);
        }
    }
}
