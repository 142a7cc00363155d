package org.tornadodit.runner.report;

import java.util.List;
import java.util.stream.Collectors;

/** A report as Markdown; of a figure it keeps the caption. */
final class MarkdownPage {
    private MarkdownPage() {}

    static String of(List<Block> blocks) {
        return blocks.stream().map(MarkdownPage::block).collect(Collectors.joining("\n\n")) + "\n";
    }

    private static String block(Block block) {
        return switch (block) {
            case Block.Heading heading -> "#".repeat(heading.level()) + " " + escape(heading.text());
            case Block.Paragraph paragraph -> escape(paragraph.text());
            case Block.Figure figure -> "*In the HTML report: " + escape(figure.caption()) + "*";
            case Block.Bars bars -> "*In the HTML report: " + escape(bars.caption()) + "*";
            case Block.Sentences sentences ->
                sentences.items().stream().map(item -> "- " + escape(item)).collect(Collectors.joining("\n"));
            case Block.Code code ->
                code.lines().stream()
                        .map(line -> "    " + line.replaceAll("\\R", " "))
                        .collect(Collectors.joining("\n"));
            case Block.Table table ->
                row(table.header()) + "\n|" + "---|".repeat(table.header().size()) + "\n"
                        + table.rows().stream().map(MarkdownPage::row).collect(Collectors.joining("\n"));
        };
    }

    private static String row(List<String> cells) {
        return cells.stream().map(MarkdownPage::escape).collect(Collectors.joining(" | ", "| ", " |"));
    }

    private static String escape(String text) {
        return text.replaceAll("\\R", " ")
                .replace("\\", "\\\\")
                .replace("|", "\\|")
                .replace("<", "&lt;")
                .replace("*", "\\*")
                .replace("_", "\\_");
    }
}
