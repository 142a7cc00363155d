package org.tornadodit.runner;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.diffusion.FlowChoices;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.terminal.ExitCode;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

/** What is made of the commands' descriptions: examples, completion, the manual page. */
class GeneratedPagesTest {

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    /** Examples are commands that there are, with options that they have, and fit narrow terminals. */
    @Test
    void everyCommandHasExamplesThatParse() {
        int checked = 0;
        for (CommandSpec command : commands()) {
            List<String> footer = List.of(command.usageMessage().footer());
            List<String> examples =
                    footer.stream().filter(line -> line.startsWith("  dit ")).toList();
            assertFalse(examples.isEmpty(), command.qualifiedName() + " has no examples");
            for (String example : examples) {
                assertTrue(example.length() <= 60, example);
                String plain = example.strip().replaceAll(" ?[|>\\\\].*", "");
                String[] words = plain.split(" ");
                new CommandLine(new Runner())
                        .setCaseInsensitiveEnumValuesAllowed(true)
                        .parseArgs(Arrays.copyOfRange(words, 1, words.length));
                checked++;
            }
        }
        assertTrue(checked > 20, checked + " examples");
    }

    /** Labels list the choices of an enum: help, errors and completion have them from there. */
    @Test
    void labelsListAllChoicesInSmallLetters() {
        int checked = 0;
        for (CommandSpec command : commands()) {
            for (ArgSpec argument : command.args()) {
                Class<?> type = argument.auxiliaryTypes()[0];
                if (type.isEnum()) {
                    List<String> constants = Stream.of(type.getEnumConstants())
                            .map(constant -> switch (constant) {
                                case SamplingMethod sampler -> sampler.option();
                                case FlowChoices.DiffusionForm form -> form.option();
                                default -> TypedOptions.asHelpWritesIt(((Enum<?>) constant).name());
                            })
                            .sorted()
                            .toList();
                    List<String> label = Stream.of(argument.paramLabel().split("\\|"))
                            .sorted()
                            .toList();
                    assertEquals(constants, label, command.qualifiedName());
                    checked++;
                }
            }
        }
        assertTrue(checked > 15, checked + " choices");
    }

    @Test
    void completionKnowsCommandsAndOffersChoicesAsOptionsTakeThem() throws Exception {
        CommandLineRun script = CommandLineRun.of("generate-completion");
        assertEquals(ExitCode.DONE, script.exitCode(), script.err());
        assertFalse(script.out().contains("\"DDPM\""), script.out());
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "bash");
        Path file = Files.writeString(folder.resolve("completion"), script.out());
        assertEquals(
                "ddpm ddim dpm++ dpm++sde unipc euler heun dopri5 euler-maruyama heun-sde meanflow",
                completed(file, "sample", "--sampler", ""));
        assertEquals("ddim", completed(file, "demo", "--sampler", "ddi"));
        assertEquals("3 all", completed(file, "bench", "--cfg-channels", ""));
        assertEquals("strict final none", completed(file, "evaluate", "--gates", ""));
        assertEquals("download", completed(file, "dow"));
        assertEquals("--nrow", completed(file, "sample", "--nr"));
        List<String> commands = List.of(completed(file, "").split(" "));
        for (String name : new CommandLine(new Runner()).getSubcommands().keySet()) {
            assertTrue(commands.contains(name), name + " is not in " + commands);
        }
    }

    @Test
    void theManualPageHasAllOptionsAndNothingThatRoffWouldTakeForItsOwn() throws Exception {
        CommandLineRun run = CommandLineRun.of("generate-man-page");
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.getFirst().startsWith(".TH DIT 1 "), lines.getFirst());
        for (CommandSpec command : commands()) {
            String name = command.qualifiedName().replace("-", "\\-");
            assertTrue(command.parent() == null || lines.contains(".SS \"" + name + "\""), name);
            for (ArgSpec argument : command.options()) {
                String option = ((CommandLine.Model.OptionSpec) argument).longestName();
                assertTrue(run.out().contains("\\fB" + option.replace("-", "\\-") + "\\fR"), option);
            }
        }
        List<String> requests = List.of(".TH", ".SH", ".SS", ".TP", ".PP", ".nf", ".fi", ".nh", ".ad");
        assertEquals(
                List.of(),
                lines.stream()
                        .filter(line -> line.startsWith("'")
                                || (line.startsWith(".") && !requests.contains(line.split(" ", 2)[0])))
                        .toList());
        assertTrue(run.out().chars().allMatch(character -> character == '\n' || (character >= 32 && character < 127)));
        assertTrue(run.out().contains("\ndit \\- Samples images"), "what whatis(1) reads");
        assertTrue(run.out().contains("\n\\&  dit sample \\-\\-devices 0,1"), "examples");
        Path groff = Path.of("/usr/bin/groff");
        assumeTrue(Files.isExecutable(groff), "groff");
        Path page = Files.writeString(folder.resolve("dit.1"), run.out());
        assertEquals("", output(groff.toString(), "-man", "-Tascii", "-ww", "-z", page.toString()), "warnings");
    }

    private static List<CommandSpec> commands() {
        List<CommandSpec> commands = new ArrayList<>();
        collect(new CommandLine(new Runner()).getCommandSpec(), commands);
        commands.removeIf(command -> command.userObject() instanceof CommandLine.HelpCommand);
        return commands;
    }

    private static void collect(CommandSpec command, List<CommandSpec> commands) {
        commands.add(command);
        command.subcommands().values().forEach(below -> collect(below.getCommandSpec(), commands));
    }

    /** What bash offers for the last word. */
    private String completed(Path script, String... words) throws IOException, InterruptedException {
        return output("/bin/bash", "-c", """
            source "$1"; shift
            compopt() { :; }
            COMP_WORDS=(dit "$@"); COMP_CWORD=$#; COMPREPLY=()
            _complete_dit
            echo "${COMPREPLY[*]}"
            """, "bash", script.toString(), words).strip();
    }

    private String output(Object... command) throws IOException, InterruptedException {
        List<String> words = Stream.of(command)
                .flatMap(part -> part instanceof String[] several ? Stream.of(several) : Stream.of(part.toString()))
                .toList();
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertTrue(process.waitFor(30, TimeUnit.SECONDS), "it does not end");
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(output, UTF_8);
    }
}
