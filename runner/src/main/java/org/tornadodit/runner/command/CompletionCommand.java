package org.tornadodit.runner.command;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.tornadodit.runner.terminal.ExitCode;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Spec;

/** Prints what bash and zsh complete the command line with. Choices are offered as help writes them. */
@Command(
        name = "generate-completion",
        mixinStandardHelpOptions = true,
        description = "Prints a script for bash and zsh that completes commands, options and choices.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  source <(dit generate-completion)",
            "  dit generate-completion \\",
            "    > ~/.local/share/bash-completion/completions/dit"
        })
public final class CompletionCommand implements Callable<Integer> {

    /** A label such as ddpm|ddim, which lists all choices; FILE|DIR is none. */
    private static final Pattern CHOICES = Pattern.compile("[a-z0-9+-]+(\\|[a-z0-9+-]+)+");

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Override
    public Integer call() {
        CommandLine all = new CommandLine(spec.root().userObject());
        offerChoices(all);
        spec.commandLine().getOut().print(AutoComplete.bash(spec.root().name(), all));
        spec.commandLine().getOut().flush();
        return ExitCode.DONE;
    }

    /** Picocli itself would offer the constants' names, in capital letters. */
    private static void offerChoices(CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        for (ArgSpec argument : List.copyOf(spec.args())) {
            if (CHOICES.matcher(argument.paramLabel()).matches()) {
                List<String> choices = List.of(argument.paramLabel().split("\\|"));
                spec.remove(argument);
                spec.add(
                        argument instanceof OptionSpec option
                                ? OptionSpec.builder(option)
                                        .completionCandidates(choices)
                                        .build()
                                : PositionalParamSpec.builder((PositionalParamSpec) argument)
                                        .completionCandidates(choices)
                                        .build());
            }
        }
        command.getSubcommands().values().forEach(CompletionCommand::offerChoices);
    }
}
