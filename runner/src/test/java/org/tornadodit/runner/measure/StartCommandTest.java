package org.tornadodit.runner.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.runner.terminal.Surroundings;
import picocli.CommandLine;

/** Starts of a launcher that only writes what a run says. */
class StartCommandTest {

    @TempDir
    Path home;

    private String launcher(String script, int expected, String... arguments) throws IOException {
        return launcher("dit", script, expected, arguments);
    }

    private String launcher(String place, String script, int expected, String... arguments) throws IOException {
        Path launcher = Files.writeString(home.resolve(place), "#!/bin/sh\n" + script);
        assertTrue(launcher.toFile().setExecutable(true));
        StringWriter out = new StringWriter();
        CommandLine command = new CommandLine(new StartCommand(new Surroundings(home, false, "")))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(out, true))
                .setExecutionExceptionHandler((e, line, parsed) -> {
                    out.append(e.getMessage());
                    return 1;
                });
        assertEquals(expected, command.execute(arguments), out.toString());
        return out.toString();
    }

    @Test
    void theFirstIsColdAndTheOthersFindWhatItLeft() throws IOException {
        String script = """
            kernels=${DIT_JVM_OPTS##*-Ddit.kernels=}
            echo "$@" >>"$0.log"
            echo "${CUDA_CACHE_PATH%/driver} ${kernels%/kernels}" >>"$0.folders"
            if [ -d "$kernels" ]; then ready=1.500 what=warm; else mkdir "$kernels"; ready=9.250 what=cold; fi
            echo "  begin      end  seconds  start"
            echo "  0.000    0.400    0.400  $what"
            echo "           $ready           ready"
            """;
        List<String> lines = launcher(script, 0, "--runs", "2", "--", "--model", "demo")
                .lines()
                .toList();
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("| first | 9.25 | ")), lines.toString());
        assertTrue(
                lines.stream().anyMatch(line -> line.startsWith("| later, median of 2 | 1.50 | ")), lines.toString());
        int first = lines.indexOf("The first:");
        int last = lines.indexOf("The last:");
        assertEquals("  0.000    0.400    0.400  cold", lines.get(first + 2));
        assertEquals("  0.000    0.400    0.400  warm", lines.get(last + 2));
        List<String> calls = Files.readAllLines(home.resolve("dit.log"));
        assertEquals(3, calls.size(), calls.toString());
        assertTrue(calls.getFirst().matches("sample --debug --model demo --output .*/picture.png"), calls.toString());
        List<String> folders = Files.readAllLines(home.resolve("dit.folders"));
        assertEquals(1, folders.stream().distinct().count(), folders.toString());
        String[] pair = folders.getFirst().split(" ");
        assertEquals(pair[0], pair[1]);
        assertFalse(Files.exists(Path.of(pair[0])), "nothing is left behind");
    }

    @Test
    void aRunThatFailsIsSaid() throws IOException {
        String said = launcher("echo dit: no such model >&2; exit 2\n", 1, "--", "--model", "x", "-o", "y.png");
        assertTrue(said.contains("sample --debug --model x -o y.png ended with 2: dit: no such model"), said);
    }

    @Test
    void aDistributionsLauncherIsTimedToo() throws IOException {
        Files.createDirectories(home.resolve("bin"));
        String script = """
            echo "$@" >>"$0.log"
            echo "           1.500           ready"
            """;
        String said = launcher("bin/dit", script, 0, "--runs", "1", "--", "--model", "demo", "-oy.png");
        assertTrue(said.contains("| first | 1.50 | "), said);
        List<String> calls = Files.readAllLines(home.resolve("bin/dit.log"));
        assertEquals("sample --debug --model demo -oy.png", calls.getFirst());
    }

    @Test
    void withoutALauncherThereIsNothingToTime() throws IOException {
        Files.createDirectories(home.resolve("dit.d"));
        StringWriter out = new StringWriter();
        int code = new CommandLine(new StartCommand(new Surroundings(home.resolve("dit.d"), false, "")))
                .setErr(new PrintWriter(out, true))
                .setExecutionExceptionHandler((e, line, parsed) -> {
                    out.append(e.getMessage());
                    return 1;
                })
                .execute("--", "--model", "demo");
        assertEquals(1, code);
        assertTrue(out.toString().contains("run this through dit"), out.toString());
    }
}
