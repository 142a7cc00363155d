package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.TinyModelFiles;
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

    /** As in the Java API and in serve: names lie beside the weights, in whatever form these are. */
    @Test
    void namesBesideTheWeightsAreTheModels(@TempDir Path folder) throws IOException {
        TinyModelFiles model = TinyModelFiles.write(folder);
        Path names = Files.writeString(folder.resolve("labels.json"), """
            {"names": ["ant", "bee", "cat", "dog", "elk", "fox"], "favourites": [5, 1]}
            """);
        for (String command : List.of("sample", "bulk")) {
            List<Object> options = command.equals("sample")
                    ? List.of("--class-labels", "dog,1")
                    : List.of(
                            "--labels",
                            Files.writeString(folder.resolve("list"), "dog\n1\n"),
                            "--output",
                            folder.resolve("b"));
            CommandLineRun run =
                    CommandLineRun.of(model.command(List.of(command, "--device", "cpu", "--dry-run"), options.toArray())
                            .toArray());
            assertEquals(ExitCode.DONE, run.exitCode(), command + run.err());
            List<Object> wrong = new ArrayList<>(options);
            wrong.set(1, command.equals("sample") ? "dig" : Files.writeString(folder.resolve("list"), "dig\n"));
            CommandLineRun miss =
                    CommandLineRun.of(model.command(List.of(command, "--device", "cpu", "--dry-run"), wrong.toArray())
                            .toArray());
            assertEquals(
                    command.equals("sample") ? ExitCode.USAGE : ExitCode.PERMANENT,
                    miss.exitCode(),
                    command + miss.err());
            assertTrue(
                    miss.err().contains("no class is named \"dig\"; the model knows: ant, bee, cat, dog, elk, fox"),
                    miss.err());
        }
        assertEquals("fox, bee", labelsOf(model));
        Files.writeString(names, "{\"names\": [\"ant\"], \"favourites\": []}");
        assertEquals("ant, 1, 2, 3, 4, 5", labelsOf(model));
        CommandLineRun overwriting = CommandLineRun.of(
                "bench",
                "step",
                "--model",
                model.config(),
                "--ckpt",
                model.checkpoint(),
                "--device",
                "cpu",
                "--json",
                names);
        assertEquals(ExitCode.FAILURE, overwriting.exitCode(), overwriting.err());
        assertTrue(overwriting.err().contains("labels.json: it is read by this command"), overwriting.err());

        Files.writeString(names, "{\"names\": [%s\"x\"], \"favourites\": []}".formatted("\"y\", ".repeat(20)));
        CommandLineRun many =
                CommandLineRun.of(model.sample("--dry-run", "--device", "cpu").toArray());
        assertEquals(ExitCode.CHECKPOINT, many.exitCode(), many.err());
        assertTrue(many.err().contains("labels.json: 21 names, the model beside it has 6 classes"), many.err());
        Files.delete(names);
        assertEquals("0, 1, 2, 3, 4, 5", labelsOf(model));
    }

    private static String labelsOf(TinyModelFiles model) {
        return labels(
                CommandLineRun.of(model.sample("--device", "cpu", "--dry-run").toArray()));
    }

    private static String labels(Object... options) {
        return labels(dry(options));
    }

    private static String labels(CommandLineRun run) {
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
