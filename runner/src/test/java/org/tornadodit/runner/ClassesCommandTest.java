package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.runner.terminal.ExitCode;

class ClassesCommandTest {
    private static final Path SAMPLING = CommandLineRun.ROOT.resolve("reference/data/sampling");

    @Test
    void listsNumbersAndNames() {
        CommandLineRun run = CommandLineRun.of("classes", "Retriever");
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertEquals(
                List.of("205", "206", "207", "208", "209"),
                run.out().lines().map(line -> line.substring(0, 3)).toList());
        assertTrue(run.out().contains("207  golden retriever" + System.lineSeparator()), run.out());
        assertEquals(1000, CommandLineRun.of("classes").out().lines().count());
        assertEquals(
                " 4  fox",
                CommandLineRun.of("classes", "--model", "demo", "fox").out().stripTrailing());
        assertTrue(CommandLineRun.of("classes", "red-panda").out().contains("387  lesser panda, red panda, panda"));
    }

    @Test
    void suggestsNearestNamesInOneLine() {
        CommandLineRun miss = CommandLineRun.of("classes", "retreiver");
        assertEquals(ExitCode.FAILURE, miss.exitCode());
        assertEquals(1, miss.err().strip().lines().count(), miss.err());
        assertTrue(miss.err().startsWith("dit: no class has \"retreiver\" in a name; nearest are "), miss.err());
        assertTrue(miss.err().contains("; ./dit classes lists all"), miss.err());
        CommandLineRun demo = CommandLineRun.of("classes", "--model", "demo", "retreiver");
        assertTrue(demo.err().contains("; ./dit classes --model demo lists all"), demo.err());
        CommandLineRun numbers = CommandLineRun.of("classes", "--model", SAMPLING.resolve("config.json"));
        assertEquals(ExitCode.USAGE, numbers.exitCode());
        assertTrue(numbers.err().contains("have no names here: they are numbers, 0 to 5"), numbers.err());
        assertEquals(
                ExitCode.USAGE,
                CommandLineRun.of("classes", "--model", "DiT-M/2").exitCode());
    }

    @Test
    void labelsAreDrawnAndSpread() {
        String drawn = labels("--class-labels", "random:3,fox");
        assertEquals(drawn, labels("--class-labels", "random:3, fox"));
        assertTrue(drawn.endsWith(", fox"), drawn);
        assertTrue(!drawn.equals(labels("--class-labels", "random:3,fox", "--seed", "1")), drawn);
        assertEquals("dog, cup", labels("--class-labels", "Uniform:2").replaceAll(", .*", ", cup"));
        CommandLineRun none = dry("--class-labels", "random:0");
        assertEquals(ExitCode.USAGE, none.exitCode());
        assertTrue(
                none.err().contains("--class-labels has \"random:0\", expected a number of 1 to 4096 behind the colon"),
                none.err());
        CommandLineRun miss = dry("--class-labels", "foxx");
        assertEquals(ExitCode.USAGE, miss.exitCode());
        assertTrue(miss.err().contains("no class is named \"foxx\"; nearest are fox (4), "), miss.err());
        assertTrue(miss.err().contains("; ./dit classes --model demo lists all"), miss.err());
    }

    private static String labels(Object... options) {
        CommandLineRun run = dry(options);
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        return run.out()
                .lines()
                .filter(line -> line.startsWith("labels   "))
                .findFirst()
                .orElseThrow()
                .substring(9);
    }

    private static CommandLineRun dry(Object... options) {
        List<Object> arguments = new ArrayList<>(List.of("sample", "--model", "demo", "--device", "cpu", "--dry-run"));
        arguments.addAll(List.of(options));
        return CommandLineRun.of(arguments.toArray());
    }
}
