package org.tornadodit.runner.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The page: what its summary says, and that it can be read on a narrow screen. */
class ReportTest {
    private static final Path RESULTS =
            Path.of(System.getProperty("dit.root", "..")).resolve("results");

    private static final String CHALLENGE =
            "\"options\": {\"model\": \"DiT-XL/2\", \"image_size\": 512, \"batch\": 8, \"steps\": \"250\","
                    + " \"precision\": \"%s\"}";

    @TempDir
    Path folder;

    private void record(String name, String kind, String date, String rest) throws IOException {
        Files.writeString(
                folder.resolve(name),
                "{\"format\": 1, \"kind\": \"%s\", \"date\": \"%sT10:00:00Z\", \"device\": \"NVIDIA H200\", %s}"
                        .formatted(kind, date, rest));
    }

    private void bench(String name, String date, String precision, int devices, double seconds, String more)
            throws IOException {
        record(
                name,
                "bench",
                date,
                CHALLENGE.formatted(precision)
                        + ", \"devices\": %d, \"measurements\": [{\"name\": \"step\", \"ms\": 100}, {\"name\": \"sampling\", \"ms\": %s}]%s"
                                .formatted(devices, seconds * 1e3, more));
    }

    private void pytorch() throws IOException {
        record("pytorch.json", "compare", "2026-01-01", CHALLENGE.formatted("") + """
            , "engines": [{"name": "PyTorch, strict FP32", "ours": false, "seconds": 120, "step_ms": 480},
                          {"name": "PyTorch, TF32", "ours": false, "seconds": 40, "step_ms": 160}],
              "pictures": [{"name": "PyTorch, TF32", "mae": 0.02, "psnr": 65, "ssim": 0.9999}]\
            """);
    }

    private static List<List<String>> tables(String html) {
        return Pattern.compile("<table>.*?</table>", Pattern.DOTALL)
                .matcher(html)
                .results()
                .map(MatchResult::group)
                .map(table ->
                        table.lines().filter(line -> line.contains("<tr>")).toList())
                .toList();
    }

    private static List<String> cells(String row) {
        return Pattern.compile("<t[hd]>(.*?)</t[hd]>")
                .matcher(row)
                .results()
                .map(cell -> cell.group(1))
                .toList();
    }

    private static void requireReadable(String html) {
        assertTrue(html.contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"));
        String narrow = html.substring(html.indexOf("@media (max-width"), html.indexOf("</style>"));
        assertTrue(narrow.contains("td { white-space: normal; }"), "words in cells wrap on a narrow screen");
        assertTrue(html.contains("pre { ") && html.contains("white-space: pre-wrap"), "commands wrap");
        for (String wide : List.of("<table>", "<svg ")) {
            assertEquals(
                    html.split(wide, -1).length,
                    html.split("<div class=\"scroll\">" + wide, -1).length,
                    wide + " scrolls on its own, not the page with it");
        }
        for (List<String> table : tables(html)) {
            List<String> header = cells(table.getFirst());
            for (int i = 0; i < header.size(); i++) {
                int column = i;
                assertTrue(
                        table.stream()
                                .skip(1)
                                .map(ReportTest::cells)
                                .anyMatch(row -> !row.get(column).isBlank()),
                        () -> "nothing in column " + header.get(column) + " of " + table);
            }
            table.forEach(row -> assertEquals(header.size(), cells(row).size(), row));
        }
    }

    @Test
    void theProjectsRecordsMakeAReadablePage() throws IOException {
        Report report = Report.of(RESULTS, 1);
        assertEquals(List.of(), report.refused());
        String html = report.html();
        assertTrue(tables(html).size() > 10, "tables");
        requireReadable(html);
        assertFalse(html.contains("Not recorded yet"), "every part has its records");
        assertTrue(
                html.contains("<td>--data-parallel-degree 1 --use-cfg-parallel --ulysses-degree 2</td>"),
                "ways to divide a picture");
        assertFalse(html.contains("NaN") || html.contains("Infinity"), "figures");
    }

    @Test
    void summarySaysWhatWasReached() throws IOException {
        pytorch();
        bench("old.json", "2026-01-01", "highest", 1, 50, "");
        bench("one.json", "2026-01-02", "highest", 1, 30, "");
        bench("four.json", "2026-01-02", "highest", 4, 10, "");
        record("judged.json", "fidelity", "2026-01-03", """
            "rows": [{"case": "xl2", "precision": "highest", "steps": "250", "guidance": 4.0, "mae": 0.00021,
                      "psnr": 86.3, "ssim": 0.9999996, "gates": "passed"},
                     {"case": "custom-p4-d12", "precision": "highest", "steps": "50", "guidance": 1.5, "mae": 0.0003,
                      "psnr": 83.8, "ssim": 0.9999994, "gates": "passed"}]\
            """);
        String html = Report.of(folder, 1).html();
        requireReadable(html);
        assertTrue(html.indexOf("In short") < html.indexOf("1. Baseline"), "on top");
        assertTrue(
                html.contains(
                        "Eight pictures in 10.0 s on 4 x NVIDIA H200, 30.0 s on one. PyTorch at the same precision"
                                + " takes 120.0 s on one: 12.0 times as long as this program on 4, 4.0 times as long as on"
                                + " one. The pictures keep the strict gates. Such a time is worth 50 of 50 points by the"
                                + " published rules, 100 of 100 by the final ones."),
                html);
        assertTrue(
                html.contains("<td>tornado-dit, highest</td><td>0.0002</td><td>86.3</td><td>1.0000</td><td>passed</td>"
                        + "<td>NVIDIA H200, 3 January 2026</td>"),
                html);
        // TF32's picture fails: no points by the published rules, whose bounds the final ones widen.
        assertTrue(
                html.contains("<td>PyTorch, TF32</td><td>NVIDIA H200</td><td>40.0</td><td>3.0</td><td>failed</td>"
                        + "<td>0.0</td><td>100.0</td>"),
                html);
        assertTrue(html.contains("<td>custom model, patches of 4, 12 blocks</td><td>highest</td><td>1.5</td>"), html);
        assertTrue(html.contains("LPIPS was not measured in any record"), html);
        assertFalse(html.contains("<th>LPIPS</th>"), "no empty column");
        assertTrue(html.contains("No record is of a V100"), html);
    }

    @Test
    void lpipsIsShownWhereItWasMeasured() throws IOException {
        bench(
                "one.json",
                "2026-01-02",
                "highest",
                1,
                30,
                ", \"picture\": {\"mae\": 0.001, \"psnr\": 80, \"ssim\": 1, \"lpips\": 0.02}");
        String html = Report.of(folder, 1).html();
        assertTrue(html.contains("<th>LPIPS</th>") && html.contains("<td>0.0200</td><td>failed</td>"), html);
        assertTrue(html.contains("do not keep the strict gates. Such a time is worth 0 of 50 points"), html);
        assertFalse(html.contains("LPIPS was not measured"), html);
    }

    @Test
    void runsWhosePictureFailedAreNotTheSummarys() throws IOException {
        bench("one.json", "2026-01-02", "high", 1, 12, "");
        bench("four.json", "2026-01-02", "high", 4, 4, ", \"gates\": \"failed\", \"picture\": {\"mae\": 0.018}");
        String html = Report.of(folder, 1).html();
        assertTrue(html.contains("Eight pictures in 12.0 s on NVIDIA H200. "), html);
        requireReadable(html);
    }

    @Test
    void anotherWorkloadIsNotTheChallenge() throws IOException {
        record(
                "demo.json",
                "bench",
                "2026-01-02",
                "\"options\": {\"model\": \"demo\"}, \"measurements\": [{\"name\": \"step\", \"ms\": 0}], \"kernels\":"
                        + " [{\"name\": \"a\", \"ms\": 0}]");
        String html = Report.of(folder, 1).html();
        assertTrue(
                html.contains("No record is of the challenge&#39;s whole run")
                        || html.contains("No record is of the challenge's whole run"),
                html);
        requireReadable(html);
        assertFalse(html.contains("NaN") || html.contains("Infinity"), html);
    }

    @Test
    void commandsOfOneCallAreShownOnce() throws IOException {
        bench(
                "a.json",
                "2026-01-02",
                "highest",
                1,
                30,
                ", \"command\": \"python3 scaling.py\", \"source\": \"its table\"");
        bench("b.json", "2026-01-02", "highest", 2, 20, ", \"command\": \"python3 scaling.py\"");
        String html = Report.of(folder, 1).html();
        assertEquals(2, html.split("python3 scaling.py", -1).length, html);
        assertTrue(html.contains("Recorded in a.json (read from its table), b.json."), html);
    }

    /** One of them had filled the memory, one had ended the report without a file's name, others had shown NaN. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"ceilings\": {\"memory\": 0, \"fp32\": 1e13} | a ceiling of 0 a second, memory",
                "\"ceilings\": {\"memory\": 1e-300, \"fp32\": 1e13} | a ceiling of 1e-300 a second, memory",
                "\"ceilings\": {\"memory\": 1e999, \"fp32\": 1e13} | a ceiling of 1e999 a second, memory",
                "\"ceilings\": {\"memory\": 1e12, \"fp32\": 0} | a ceiling of 0 a second, fp32",
                "\"devices\": -1 | -1 devices, expected 1 to 1024",
                "\"devices\": 1025 | 1025 devices, expected 1 to 1024",
                "\"devices\": 1.5 | 1.5 devices, expected 1 to 1024",
                "\"kernels\": [{\"name\": \"a\", \"ms\": 1, \"flop\": 1e308}] | a kernel of 1e308 flop",
                "\"kernels\": [{\"name\": \"a\", \"ms\": 1, \"bytes\": -5}] | a kernel of -5 bytes",
                "\"kernels\": [{\"name\": \"a\", \"ms\": 1e-320}] | a kernel of 1e-320 ms",
                "\"kernels\": [{\"name\": \"a\", \"ms\": 1, \"launches\": 0.5}] | a kernel of 0.5 launches",
                "\"measurements\": [{\"name\": \"step\", \"ms\": 1e-320}] | a time of 1e-320 ms",
            })
    void leavesOutWhatCannotHaveBeenMeasured(String odd, String line) throws IOException {
        bench("one.json", "2026-01-02", "highest", 1, 30, "");
        String kernels = "\"kernels\": [{\"name\": \"linear\", \"ms\": 1, \"flop\": 1e9, \"bytes\": 1e6, \"ceiling\":"
                + " \"fp32\"}], \"measurements\": [{\"name\": \"step\", \"ms\": 1}], ";
        record(
                "odd.json",
                "bench",
                "2026-01-01",
                (odd.startsWith("\"ceilings") ? kernels : "") + odd + ", \"options\": {\"model\": \"a\"}");
        Report report = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> Report.of(folder, 1));
        assertEquals(List.of("odd.json has " + line), report.refused());
        assertEquals(1, report.runs());
        String html = report.html();
        assertTrue(html.contains("30.0 s"), html);
        assertFalse(html.contains("NaN") || html.contains("Infinity"), html);
    }

    /** Whoever calls it: an axis that does not end has no marks. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 1e-300, Double.POSITIVE_INFINITY, Double.NaN})
    void plotsEnd(double bandwidth) {
        assertNotNull(assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> Plots.roofline(
                        OptionalDouble.of(bandwidth),
                        Map.of("FP32", 1e13),
                        List.of(new Plots.Point("linear", 100, 1e12)))));
    }
}
