package org.tornadodit.runner.plan;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tornadodit.model.diffusion.FlowChoices;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.pipeline.setup.DeviceChoice;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.DivisionOptions;
import org.tornadodit.runner.option.FlowOptions;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.runner.option.SolverOptions;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * What a user has typed, as opposed to defaults: an option that is typed and cannot have an effect is an error, and errors
 * name options as they were typed.
 */
public final class TypedOptions {
    private static final Pattern CHOICE = Pattern.compile(
            "Invalid value for (?:option '([^']+)'|positional parameter).*: expected one of \\[(.*)] "
                    + "\\(case-insensitive\\) but was '(.*)'",
            Pattern.DOTALL);

    /** What only devices of TornadoVM heed. */
    private static final List<String> OF_DEVICES = Stream.concat(
                    Stream.of(
                            "--kernels",
                            "--matmul-precision",
                            "--device-weights",
                            "--fail-fast",
                            "--default-kernels",
                            "--no-kernel-cache"),
                    DivisionOptions.NAMES.stream())
            .toList();

    private static final List<String> OF_GUIDANCE = List.of("--cfg-channels", "--guidance-low", "--guidance-high");

    private final CommandLine command;

    public TypedOptions(CommandLine command) {
        this.command = command;
    }

    private boolean has(String option) {
        return command.getParseResult().hasMatchedOption(option);
    }

    /**
     * Refuses what the chosen engine or sampler does not heed.
     *
     * @throws IllegalArgumentException naming the option and the one that makes it idle
     */
    public void requireEffect(SamplingOptions sampling, DeviceOptions.Chosen chosen) {
        if (sampling.sampler != SamplingMethod.DDIM) {
            refuse(
                    List.of("--eta"),
                    "with --sampler " + sampling.sampler.option() + "; leave it out, or give --sampler ddim");
        }
        if (!sampling.sampler.multistep()) {
            refuse(
                    SolverOptions.NAMES,
                    "with --sampler " + sampling.sampler.option() + "; leave it out, or give --sampler dpm++");
        }
        if (!sampling.guided()) {
            refuse(OF_GUIDANCE, "without guidance (--cfg-scale 1); leave it out, or give another --cfg-scale");
        }
        if (sampling.sampler.multistep() && !sampling.solver.choices().heedsType(sampling.sampler)) {
            refuse(List.of("--solver-type"), "with --solver-order 1, which does not look back; leave one of them out");
        }
        requireEffect(sampling.sampler, sampling.objective());
        if (sampling.sampler.stochasticFlow() && sampling.flow.choices().lastStep() == FlowChoices.LastStep.NONE) {
            refuse(List.of("--last-step-size"), "with --last-step none; leave one of them out");
        }
        requireEffect(chosen);
    }

    private void requireEffect(SamplingMethod sampler, Objective objective) {
        String with = "with --sampler " + sampler.option();
        if (sampler.adaptive()) {
            refuse(
                    List.of("--num-sampling-steps"),
                    with + ", which takes as many as --atol and --rtol ask for; leave it out");
        } else {
            refuse(FlowOptions.TOLERANCES, with + "; leave it out, or give --sampler dopri5");
        }
        if (!sampler.stochasticFlow()) {
            refuse(FlowOptions.OF_SDE, with + "; leave it out, or give --sampler euler-maruyama");
        } else if (objective != Objective.SIT) {
            refuse(FlowOptions.OF_SDE, "with a %s model; leave it out: it is SiT's".formatted(objective));
        }
    }

    /** As above, for what is written. */
    public void requireEffect(OutputOptions output) {
        if (output.output.folder()) {
            refuse(
                    List.of("--picture"),
                    "with --output %s, which gets all pictures; leave it out".formatted(output.output));
        }
        if (!output.output.folder() && output.picture != null) {
            refuse(List.of("--nrow"), "with --picture %d, which is no grid; leave it out".formatted(output.picture));
        }
        if (output.output.folder() && output.preview == null) {
            refuse(List.of("--nrow"), "with --output %s, which gets no grid; leave it out".formatted(output.output));
        }
    }

    /** As above, for a command without a sampler. */
    public void requireEffect(DeviceOptions.Chosen chosen) {
        if (chosen.cpu()) {
            refuse(
                    OF_DEVICES,
                    has("--device") && chosen.reason().equals(DeviceChoice.ASKED_FOR)
                            ? "with --device cpu; leave one of them out"
                            : "without --device tornado, on the CPU engine (%s); leave it out"
                                    .formatted(chosen.reason()));
        } else {
            refuse(
                    List.of("--threads"),
                    "with --device%s, only the CPU engine has threads; leave it out, or give --device cpu"
                            .formatted(has("--devices") ? "s" : " tornado"));
        }
        if (chosen.emulated()) {
            refuse(
                    List.of("--no-kernel-cache"),
                    "with --devices cpu:N, for which no kernel is compiled; leave one of them out");
        }
    }

    /** Refuses the options that the user has typed of these. */
    public void refuse(List<String> options, String why) {
        for (String option : options) {
            if (has(option)) {
                throw new IllegalArgumentException("%s has no effect %s".formatted(option, why));
            }
        }
    }

    /**
     * Refuses all options that the user has typed but these.
     *
     * @param heeded any of an option's names
     */
    public void refuseAllBut(List<String> heeded, String why) {
        command.getParseResult().matchedOptions().stream()
                .filter(option -> Stream.of(option.names()).noneMatch(heeded::contains))
                .findFirst()
                .ifPresent(option -> refuse(List.of(option.longestName()), why));
    }

    /**
     * Refuses what stands before a command of a command, which the one above would have to heed, and that does not run.
     *
     * @throws ParameterException naming the first of it
     */
    public static void requireNothingBefore(CommandSpec command) {
        if (command.parent() == null) {
            return;
        }
        command.parent().commandLine().getParseResult().matchedArgs().stream()
                .filter(argument -> !argument.inherited())
                .findFirst()
                .ifPresent(argument -> {
                    String typed = argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
                    throw new ParameterException(
                            command.commandLine(),
                            "%s has no effect before %s; put it behind, or leave it out"
                                    .formatted(typed, command.name()));
                });
    }

    /** A message with aliases as the user has typed them, and choices as help writes them. */
    public static String inTheUsersWords(String message, CommandLine command, Collection<String> words) {
        Matcher choice = CHOICE.matcher(message);
        String text = message;
        if (choice.matches()) {
            List<String> choices = Stream.of(choice.group(2).split(", "))
                    .map(TypedOptions::asHelpWritesIt)
                    .toList();
            String named = choice.group(1) != null
                    ? choice.group(1) + " is \"" + choice.group(3) + "\""
                    : "\"" + choice.group(3) + "\" is none of the choices";
            text = named + ", expected "
                    + choices.stream().limit(choices.size() - 1L).collect(Collectors.joining(", ")) + " or "
                    + choices.getLast();
        }
        for (OptionSpec option : command.getCommandSpec().options()) {
            for (String typed : option.names()) {
                if (words.stream().anyMatch(word -> word.equals(typed) || word.startsWith(typed + "="))) {
                    for (String other : option.names()) {
                        text = text.replaceAll(Pattern.quote(other) + "(?![\\w-])", Matcher.quoteReplacement(typed));
                    }
                    break;
                }
            }
        }
        return text;
    }

    /** Choices are enums, whose names help and the command line write in small letters. */
    public static String asHelpWritesIt(String constant) {
        return constant.toLowerCase(Locale.ROOT);
    }
}
