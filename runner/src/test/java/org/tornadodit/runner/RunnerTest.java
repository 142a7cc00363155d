package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.runner.terminal.ExitCode;

/** Help, version and the exit codes of what is no command. */
class RunnerTest {

    @ParameterizedTest
    @ValueSource(
            strings = {"sample", "demo", "evaluate", "score", "download", "generate-completion", "generate-man-page"})
    void everyCommandHasHelpOnStdout(String command) {
        CommandLineRun help = CommandLineRun.of(command, "--help");
        assertEquals(ExitCode.DONE, help.exitCode());
        assertEquals("", help.err());
        assertTrue(help.out().startsWith("Usage: dit " + command), help.out());
        assertTrue(help.out().contains("\nExamples:\n  "), help.out());
        assertEquals(help.out(), CommandLineRun.of("help", command).out());
        assertTrue(CommandLineRun.of("--help").out().contains("\n  " + command), "dit --help lists it");
    }

    @Test
    void helpTellsDefaultsAndExitCodes() {
        String help = CommandLineRun.of("sample", "--help").out();
        for (String words : List.of(
                "--num-sampling-steps, --num-inference-steps=STEPS", "Default: 250", "--cfg-scale", "4.0", "--eta")) {
            assertTrue(help.contains(words), words + " is not in\n" + help);
        }
        assertTrue(CommandLineRun.of("--help").out().contains("5     a gate failed"));
    }

    @Test
    void tellsItsVersion() {
        CommandLineRun version = CommandLineRun.of("--version");
        assertEquals(ExitCode.DONE, version.exitCode());
        assertTrue(version.out().startsWith("tornado-dit "), version.out());
    }

    @Test
    void anUnknownCommandOrNoneIsAUsageError() {
        CommandLineRun none = CommandLineRun.of();
        assertEquals(ExitCode.USAGE, none.exitCode());
        assertTrue(none.err().startsWith("dit: which command?"), none.err());
        CommandLineRun unknown = CommandLineRun.of("smaple");
        assertEquals(ExitCode.USAGE, unknown.exitCode());
        assertTrue(unknown.err().contains("sample"), "suggests: " + unknown.err());
    }

    @Test
    void scoresATimeByItsFormulas() {
        CommandLineRun score = CommandLineRun.of("score", "150");
        assertEquals(ExitCode.DONE, score.exitCode());
        assertEquals(
                "Challenge score of 150 seconds: 31.55 of 50 points by the strict rules, 48.86 of 100 by the final"
                        + " ones.",
                score.out().lines().findFirst().orElseThrow());
        assertTrue(score.out().lines().anyMatch(line -> line.matches(" +200 +18\\.45 +32\\.80")), score.out());
        assertTrue(CommandLineRun.of("score", "0.5").out().contains("50.00 of 50"), "full points");
        assertTrue(CommandLineRun.of("score", "600").out().contains(": 0.00 of 50 points"), "none");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-3", "NaN", "Infinity", "fast"})
    void scoresNothingButTimes(String seconds) {
        CommandLineRun score = CommandLineRun.of("score", "--", seconds);
        assertEquals(ExitCode.USAGE, score.exitCode());
        assertTrue(score.err().startsWith("dit: "), score.err());
        assertEquals("", score.out());
    }
}
