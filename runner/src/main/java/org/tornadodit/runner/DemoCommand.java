package org.tornadodit.runner;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sample --model demo} with settings that suit the machine. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = "Samples eight small pictures with the model in the repository, in about a minute.")
final class DemoCommand implements Callable<Integer> {

    /** So that two cores sample in well under a minute; the pictures are hardly better with 250. */
    private static final int CPU_STEPS = 50;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE.png",
            defaultValue = "sample.png",
            description = "Default: ${DEFAULT-VALUE}")
    Path output = Path.of("sample.png");

    @Option(names = "--seed", paramLabel = "SEED", defaultValue = "0", description = "Default: ${DEFAULT-VALUE}")
    String seed = "0";

    @Override
    public Integer call() {
        List<String> arguments = new ArrayList<>(List.of(
                "sample",
                "--model",
                ModelSource.DEMO,
                "--num-sampling-steps",
                String.valueOf(CPU_STEPS),
                "--seed",
                seed,
                "--output",
                output.toString()));
        if (((Runner) spec.root().userObject()).debug) {
            arguments.add("--debug");
        }
        CommandLine root = spec.root().commandLine();
        spec.commandLine().getErr().println("dit " + String.join(" ", arguments));
        return root.execute(arguments.toArray(String[]::new));
    }
}
