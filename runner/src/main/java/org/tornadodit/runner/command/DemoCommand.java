package org.tornadodit.runner.command;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.InterpolationOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.runner.plan.OutputOptions;
import org.tornadodit.runner.terminal.ShellWord;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/** {@code sample --model demo} with a number of steps that suits the machine. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        defaultValueProvider = DemoCommand.Defaults.class,
        description = {
            "Samples eight small pictures with the model in the repository, in seconds.",
            "It is sample --model demo with 50 steps, and takes the same options, but for the model's and --like."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  dit demo",
            "  dit demo --class-labels fox,panda --seed 3",
            "  dit demo --class-labels 4,6 --interpolate 7 --sampler ddim",
            "  dit demo --num-sampling-steps 250 -o pictures/"
        })
public final class DemoCommand implements Callable<Integer> {

    private static final String STEPS_OPTION = "--num-sampling-steps";

    /** So that two cores sample in well under a minute; the pictures are hardly better with 250. */
    private static final String STEPS = "50";

    /** What is otherwise than in sample. */
    static final class Defaults implements IDefaultValueProvider {
        @Override
        public @Nullable String defaultValue(ArgSpec argument) {
            return argument instanceof OptionSpec option && option.longestName().equals("--num-inference-steps")
                    ? STEPS
                    : null;
        }
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Mixin
    SamplingOptions samplingOptions = new SamplingOptions();

    @Mixin
    InterpolationOptions interpolationOptions = new InterpolationOptions();

    @Mixin
    DeviceOptions deviceOptions = new DeviceOptions();

    @Mixin
    OutputOptions outputOptions = new OutputOptions();

    @Override
    public Integer call() {
        CommandLine root = spec.root().commandLine();
        List<String> arguments = new ArrayList<>(root.getParseResult().originalArgs());
        int place = arguments.indexOf(spec.name());
        List<String> words = new ArrayList<>(List.of("sample", "--model", ModelSource.DEMO));
        if (!spec.commandLine().getParseResult().hasMatchedOption(STEPS_OPTION)) {
            words.addAll(List.of(STEPS_OPTION, samplingOptions.steps));
        }
        words.addAll(arguments.subList(place + 1, arguments.size()));
        if (!outputOptions.quiet) {
            String shown = words.stream().map(ShellWord::quoted).collect(Collectors.joining(" "));
            spec.commandLine().getErr().println("dit " + shown);
        }
        words.addAll(0, arguments.subList(0, place));
        return root.execute(words.toArray(String[]::new));
    }
}
