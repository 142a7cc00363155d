package org.tornadodit.runner.report;

import java.util.List;

/** A piece of a report, whatever it is written as. Text is plain: whoever writes it escapes it. */
sealed interface Block {

    /** A heading of level 1 to 3. */
    record Heading(int level, String text) implements Block {}

    /** A paragraph. */
    record Paragraph(String text) implements Block {}

    /** A table; cells beyond the first column are figures. */
    record Table(List<String> header, List<List<String>> rows) implements Block {
        public Table {
            header = List.copyOf(header);
            rows = List.copyOf(rows);
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
