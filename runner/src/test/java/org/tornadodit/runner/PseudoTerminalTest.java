package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.TinyModelFiles;

/** The command line in a pseudo-terminal, which util-linux' script makes, where there is one. */
class PseudoTerminalTest {

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    /** The progress of ten batches: every piece that is drawn fits the terminal's width. */
    @ParameterizedTest
    @ValueSource(ints = {80, 60, 40})
    void progressFits(int columns) throws Exception {
        TinyModelFiles model = TinyModelFiles.write(folder);
        String shown = inTerminal(
                columns,
                model.sample(
                        "--device",
                        "cpu",
                        "--class-labels",
                        "1",
                        "--batches",
                        "10",
                        "--num-sampling-steps",
                        "5",
                        "--output",
                        folder.resolve("a.png")));
        List<String> pieces = Stream.of(shown.split("\r\u001b\\[K"))
                .skip(1)
                .map(piece -> piece.split("\n", 2)[0])
                .toList();
        assertTrue(
                pieces.stream()
                        .filter(piece -> piece.startsWith("starting"))
                        .allMatch(piece -> piece.length() < columns),
                shown);
        List<String> drawn = pieces.stream()
                .dropWhile(piece -> !piece.contains("%")) // of the start
                .filter(piece -> !piece.isEmpty() && !piece.startsWith(folder.toString()))
                .toList();
        assertTrue(drawn.size() >= 20, shown);
        assertTrue(drawn.stream().allMatch(piece -> piece.length() < columns && piece.matches(".*%.*[0-9\\]]")), shown);
        assertTrue(drawn.stream().anyMatch(piece -> piece.contains("5/5")), shown);
    }

    @Test
    void helpFits() throws Exception {
        String help = inTerminal(60, List.of("sample", "--help"));
        assertTrue(help.lines().count() > 100, help);
        assertEquals(List.of(), help.lines().filter(line -> line.length() > 60).toList());
    }

    /** What a terminal of so many columns receives. */
    private String inTerminal(int columns, List<Object> arguments) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "util-linux' script");
        StringBuilder command = new StringBuilder("stty rows 24 cols " + columns + "; exec")
                .append(quoted(Path.of(System.getProperty("java.home"), "bin", "java")))
                .append(" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC --add-modules=jdk.incubator.vector")
                .append(" --enable-native-access=ALL-UNNAMED -Ddit.terminal=true -Ddit.home=")
                .append(CommandLineRun.ROOT.toAbsolutePath())
                .append(" -cp")
                .append(quoted(System.getProperty("java.class.path")))
                .append(" org.tornadodit.runner.Runner");
        arguments.forEach(argument -> command.append(quoted(argument)));
        Path output = folder.resolve("typescript");
        ProcessBuilder builder = new ProcessBuilder("/usr/bin/script", "-qec", command.toString(), output.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().keySet().removeAll(List.of("COLUMNS", "LINES"));
        Process process = builder.start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it does not end");
        } finally {
            process.destroyForcibly();
        }
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertEquals(0, process.exitValue(), text);
        // script's own first and last line
        return Stream.of(text.replace("\r\n", "\n")
                        .replaceAll("\u001b\\[[0-9;]*m", "")
                        .split("\n"))
                .filter(line -> !line.startsWith("Script started") && !line.startsWith("Script done"))
                .reduce("", (all, line) -> all + line + "\n");
    }

    private static String quoted(Object argument) {
        return " '" + argument.toString().replace("'", "'\\''") + "'";
    }
}
