package org.tornadodit.runner.report;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A report as one page that needs nothing else. */
final class HtmlPage {
    private static final String STYLE = """
        :root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #d9d9e0; --paper: #ffffff;
          --ours: #0d74ce; --theirs: #b0b4ba; --roof: #ce2c31; --shade: #f4f5f7; }
        @media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #b0b4ba; --line: #363a3f;
          --paper: #111113; --ours: #70b8ff; --theirs: #5a6169; --roof: #ff9592; --shade: #1b1c1f; } }
        body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper);
          max-width: 60rem; margin: 2rem auto; padding: 0 1.25rem; }
        h1 { font-size: 1.8rem; margin-bottom: .3rem; } h2 { margin-top: 2.6rem; border-bottom: 1px solid var(--line); }
        h3 { margin-bottom: .3rem; } p, li { overflow-wrap: anywhere; } ul { padding-left: 1.2rem; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; margin: .8rem 0; }
        th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
          vertical-align: bottom; font-variant-numeric: tabular-nums; }
        td { white-space: nowrap; } th { color: var(--soft); font-weight: 600; max-width: 9rem; }
        th:first-child, td:first-child { text-align: left; padding-left: 0; }
        td:first-child { white-space: normal; min-width: 12rem; }
        pre { background: var(--shade); padding: .8rem 1rem; font-size: .85rem; white-space: pre-wrap;
          overflow-wrap: anywhere; }
        figure { margin: 1.2rem 0; } figcaption { color: var(--soft); font-size: .9rem; }
        .bar { display: grid; grid-template-columns: 17rem 1fr; gap: 0 .8rem; align-items: center; margin: .35rem 0;
          font-size: .9rem; }
        .bar .label { text-align: right; overflow-wrap: anywhere; }
        .bar .track { display: flex; align-items: center; gap: .5rem; min-width: 0; }
        .bar .length { height: 1.3rem; border-radius: 2px; flex-shrink: 1; }
        .bar .ours { background: var(--ours); } .bar .theirs { background: var(--theirs); }
        .bar .figure { color: var(--soft); white-space: nowrap; }
        svg { width: 100%; min-width: 46rem; height: auto; font: 13px system-ui, sans-serif; }
        svg .label { fill: var(--ink); } svg .figure { fill: var(--soft); font-size: 12px; }
        svg .mark { fill: var(--ours); font-weight: 700; }
        svg .point { fill: var(--ours); stroke: var(--paper); }
        svg .axis { stroke: var(--soft); } svg .grid { stroke: var(--line); }
        svg .roof { stroke: var(--roof); stroke-width: 2; }
        @media (max-width: 40rem) { body { margin: 1rem auto; padding: 0 .9rem; } h1 { font-size: 1.5rem; }
          table { font-size: .8rem; } th, td { padding: .25rem .4rem; } td:first-child { min-width: 7rem; }
          td { white-space: normal; } th { max-width: 6rem; } .bar { grid-template-columns: 1fr; } .bar .label { text-align: left; } }
        """;

    private HtmlPage() {}

    static String of(String title, List<Block> blocks) {
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>%s</title>
            <style>
            %s</style>
            </head>
            <body>
            %s
            </body>
            </html>
            """.formatted(
                Svg.escape(title), STYLE, blocks.stream().map(HtmlPage::block).collect(Collectors.joining("\n")));
    }

    private static String block(Block block) {
        return switch (block) {
            case Block.Heading heading ->
                "<h%d>%s</h%d>".formatted(heading.level(), Svg.escape(heading.text()), heading.level());
            case Block.Paragraph paragraph -> "<p>" + Svg.escape(paragraph.text()) + "</p>";
            case Block.Figure figure ->
                "<figure>\n<div class=\"scroll\">%s</div>\n<figcaption>%s</figcaption>\n</figure>"
                        .formatted(figure.plot(), Svg.escape(figure.caption()));
            case Block.Code code -> "<pre><code>" + Svg.escape(String.join("\n", code.lines())) + "</code></pre>";
            case Block.Table table -> table(table);
            case Block.Bars bars -> bars(bars);
            case Block.Sentences sentences ->
                sentences.items().stream()
                        .map(item -> "<li>" + Svg.escape(item) + "</li>")
                        .collect(Collectors.joining("\n", "<ul>\n", "\n</ul>"));
        };
    }

    /** The longest leaves room for its figure. */
    private static String bars(Block.Bars bars) {
        return bars.bars().stream()
                        .map(bar -> String.format(
                                Locale.ROOT,
                                "<div class=\"bar\"><span class=\"label\">%s</span><span class=\"track\"><span"
                                        + " class=\"length %s\" style=\"width: %.1f%%\"></span><span"
                                        + " class=\"figure\">%s</span></span></div>",
                                Svg.escape(bar.label()),
                                bar.ours() ? "ours" : "theirs",
                                80 * bar.value() / bars.most(),
                                Svg.escape(bar.text())))
                        .collect(Collectors.joining("\n", "<figure>\n", "\n"))
                + "<figcaption>" + Svg.escape(bars.caption()) + "</figcaption>\n</figure>";
    }

    private static String table(Block.Table table) {
        return "<div class=\"scroll\"><table>\n<thead>" + row(table.header(), "th") + "</thead>\n<tbody>\n"
                + table.rows().stream().map(row -> row(row, "td")).collect(Collectors.joining("\n"))
                + "\n</tbody>\n</table></div>";
    }

    private static String row(List<String> cells, String tag) {
        return cells.stream()
                .map(cell -> "<" + tag + ">" + Svg.escape(cell) + "</" + tag + ">")
                .collect(Collectors.joining("", "<tr>", "</tr>"));
    }
}
