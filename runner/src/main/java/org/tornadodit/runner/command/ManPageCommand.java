package org.tornadodit.runner.command;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tornadodit.runner.terminal.ExitCode;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Spec;

/** Prints the manual page of the whole command line, in roff's man macros, from what {@code --help} is made of. */
@Command(
        name = "generate-man-page",
        mixinStandardHelpOptions = true,
        description = "Prints the manual page of dit and all of its commands.",
        footerHeading = "%nExamples:%n",
        footer = {"  dit generate-man-page | man -l -", "  dit generate-man-page > ~/.local/share/man/man1/dit.1"})
public final class ManPageCommand implements Callable<Integer> {

    private static final List<String> EVERYWHERE = List.of("--help", "--version", "--debug");

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    private final StringBuilder page = new StringBuilder();

    @Override
    public Integer call() {
        CommandSpec root = spec.root();
        UsageMessageSpec usage = root.usageMessage();
        line(".TH %s 1 \"\" \"%s\" \"User commands\""
                .formatted(root.name().toUpperCase(Locale.ROOT), escaped(String.join(" ", root.version()))));
        line(".nh");
        line(".ad l");
        line(".SH NAME");
        text(root.name() + " - " + String.join(" ", usage.description()));
        line(".SH SYNOPSIS");
        line("\\fB%s\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]...".formatted(root.name()));
        line(".SH OPTIONS");
        line("Every command has these.");
        root.options().forEach(this::option);
        line(".SH COMMANDS");
        root.subcommands().values().forEach(this::command);
        line(".SH \"EXIT STATUS\"");
        usage.exitCodeList().forEach((code, meaning) -> entry("\\fB" + escaped(code) + "\\fR", List.of(meaning)));
        line(".SH NOTES");
        footer(usage);
        spec.commandLine().getOut().print(page);
        spec.commandLine().getOut().flush();
        return ExitCode.DONE;
    }

    private void command(CommandLine command) {
        CommandSpec described = command.getCommandSpec();
        if (described.usageMessage().hidden()) {
            return;
        }
        List<PositionalParamSpec> positional = described.positionalParameters().stream()
                .filter(parameter -> !parameter.hidden())
                .toList();
        List<OptionSpec> options = described.options().stream()
                .filter(option -> !option.hidden() && !EVERYWHERE.contains(option.longestName()))
                .toList();
        line(".SS \"" + escaped(described.qualifiedName()) + "\"");
        line(Stream.of(
                        Stream.of("\\fB" + escaped(described.qualifiedName()) + "\\fR"),
                        options.isEmpty() ? Stream.<String>of() : Stream.of("[\\fIOPTION\\fR]..."),
                        positional.stream().map(ManPageCommand::inSynopsis))
                .flatMap(words -> words)
                .collect(Collectors.joining(" ")));
        for (String paragraph : described.usageMessage().description()) {
            line(".PP");
            text(paragraph);
        }
        positional.forEach(parameter ->
                entry("\\fI" + escaped(parameter.paramLabel()) + "\\fR", List.of(parameter.description())));
        options.forEach(this::option);
        footer(described.usageMessage());
        command.getSubcommands().values().forEach(this::command);
    }

    private static String inSynopsis(PositionalParamSpec parameter) {
        String label = "\\fI" + escaped(parameter.paramLabel()) + "\\fR";
        String shown = parameter.arity().min() == 0 ? "[" + label + "]" : label;
        return parameter.arity().max() > 1 ? shown + "..." : shown;
    }

    private void option(OptionSpec option) {
        String value = "";
        if (option.arity().max() > 0) {
            String more = option.splitRegex().isEmpty() ? "" : "[,...]";
            String label = escaped(option.paramLabel()).replace("|", "|\\:"); // where a long one may break
            value = "=\\fI" + label + "\\fR" + more;
        }
        String names = Stream.of(option.names())
                .map(name -> "\\fB" + escaped(name) + "\\fR")
                .collect(Collectors.joining(", "));
        entry(names + value, List.of(option.description()));
    }

    private void entry(String term, List<String> description) {
        line(".TP");
        line(term);
        description.forEach(this::text);
    }

    /** Examples and addresses, line by line as they are. */
    private void footer(UsageMessageSpec usage) {
        if (usage.footer().length == 0) {
            return;
        }
        line(".PP");
        text(usage.footerHeading().replace("%n", ""));
        line(".PP");
        line(".nf");
        Stream.of(usage.footer()).forEach(this::text);
        line(".fi");
    }

    private void text(String text) {
        String escaped = escaped(text);
        // A dot or quote at the beginning would be roff's own; an indented line is laid out by itself.
        line(escaped.isEmpty() || ".' ".indexOf(escaped.charAt(0)) < 0 ? escaped : "\\&" + escaped);
    }

    private void line(String roff) {
        page.append(roff).append('\n');
    }

    /** Everything is literal: hyphens that can be copied, no ligatures or escapes of roff. */
    private static String escaped(String text) {
        return text.replace("\\", "\\(rs")
                .replace("-", "\\-")
                .replace("'", "\\(aq")
                .replace("\"", "\\(dq")
                .replace("`", "\\(ga")
                .replace("~", "\\(ti")
                .replace("^", "\\(ha");
    }
}
