package org.tornadodit.runner.report;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.runner.output.OutputFile;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Surroundings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes the report of recorded measurements. */
@Command(
        name = "report",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Makes a report from the JSON that bench, autotune and bench/compare.py recorded: one HTML page that needs"
                    + " nothing else, and Markdown.",
            "Baseline, profile and bottleneck, optimisation steps, several cards, reproduction."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  dit report", "  dit report results --html report.html"})
public final class ReportCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "FOLDER",
            description = "Where the records are. Default: results in the project's folder")
    @Nullable
    Path folder;

    @Option(
            names = "--html",
            paramLabel = "FILE.html",
            defaultValue = "report.html",
            description = "Default: ${DEFAULT-VALUE}")
    Path html = Path.of("report.html");

    @Option(names = "--markdown", paramLabel = "FILE.md", description = "Also write Markdown")
    @Nullable
    Path markdown;

    @Override
    public Integer call() throws IOException {
        Path records = folder != null ? folder : Surroundings.read().home().resolve("results");
        if (!Files.isDirectory(records)) {
            throw new IOException("there is no folder " + records
                    + "; record measurements there with ./dit bench --json, or name another folder");
        }
        List<Path> outputs = markdown == null ? List.of(html) : List.of(html, markdown);
        for (Path output : outputs) {
            OutputFile.requireWritable(output);
            OutputFile.requireNoInput(output, Report.inputs(records));
        }
        if (markdown != null
                && html.toAbsolutePath()
                        .normalize()
                        .equals(markdown.toAbsolutePath().normalize())) {
            throw new IOException("two outputs have the same name, " + Printable.path(html));
        }
        Report report = Report.of(records, RunRecord.FORMAT);
        PrintWriter err = spec.commandLine().getErr();
        report.refused().forEach(line -> err.println("not used: " + line));
        if (report.runs() == 0) {
            throw new IOException("there are no records in " + records);
        }
        PrintWriter out = spec.commandLine().getOut();
        write(html, report.html());
        out.println(html);
        if (markdown != null) {
            write(markdown, report.markdown());
            out.println(markdown);
        }
        return ExitCode.DONE;
    }

    private static void write(Path file, String text) throws IOException {
        AtomicFile.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }
}
