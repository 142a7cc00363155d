package org.tornadodit.runner;

import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.tornadodit.runner.bulk.BulkCommand;
import org.tornadodit.runner.challenge.EvaluateCommand;
import org.tornadodit.runner.challenge.ScoreCommand;
import org.tornadodit.runner.command.ClassesCommand;
import org.tornadodit.runner.command.CompletionCommand;
import org.tornadodit.runner.command.DemoCommand;
import org.tornadodit.runner.command.DevicesCommand;
import org.tornadodit.runner.command.DownloadCommand;
import org.tornadodit.runner.command.ManPageCommand;
import org.tornadodit.runner.command.SampleCommand;
import org.tornadodit.runner.command.ServeCommand;
import org.tornadodit.runner.command.ShowCommand;
import org.tornadodit.runner.measure.AutotuneCommand;
import org.tornadodit.runner.measure.BenchCommand;
import org.tornadodit.runner.measure.PlanCommand;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.report.ReportCommand;
import org.tornadodit.runner.terminal.ErrorLine;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Interruption;
import org.tornadodit.runner.terminal.Invocation;
import org.tornadodit.runner.terminal.PrintableWriter;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.scheduler.device.FailedDevices;
import org.tornadodit.scheduler.device.TornadoProperties;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code dit} command. Results go to stdout, progress and messages to stderr. */
@Command(
        name = "dit",
        description = "Samples images from Diffusion Transformers (DiT).",
        mixinStandardHelpOptions = true,
        versionProvider = Runner.Version.class,
        subcommands = {
            SampleCommand.class,
            DemoCommand.class,
            BulkCommand.class,
            ClassesCommand.class,
            ShowCommand.class,
            ServeCommand.class,
            DownloadCommand.class,
            EvaluateCommand.class,
            DevicesCommand.class,
            PlanCommand.class,
            AutotuneCommand.class,
            BenchCommand.class,
            ReportCommand.class,
            ScoreCommand.class,
            CompletionCommand.class,
            ManPageCommand.class,
            CommandLine.HelpCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:failure",
            "2:wrong usage",
            "3:no such device or backend",
            "4:a file that was given is missing, unreadable or does not match",
            "5:a gate failed",
            "42:of bulk: what no retry mends",
            "130:interrupted by Ctrl-C",
            "143:ended by SIGTERM"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  dit demo",
            "  dit download DiT-XL/2-512",
            "  dit sample --image-size 512 --class-labels 207,360",
            "  dit evaluate baseline.png sample.png --gates strict",
            "",
            "Published weights: dit download DiT-XL/2-512 (2.7 GB, CC BY-NC 4.0: not for commercial use); dit download",
            "lists addresses, sizes and licences. dit demo needs none."
        })
public final class Runner implements Runnable, Invocation {

    /** Columns at which descriptions break at the latest. */
    private static final int HELP_WIDTH = 120;

    /** Picocli lays out nothing narrower. */
    private static final int NARROWEST_HELP = 55;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            description = "Print a stack trace with an error, and where the time of a start goes")
    boolean debug;

    private PrintStream stdout = System.out;

    private final Interruption interruption = new Interruption();

    /** The version in the jar's manifest. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"tornado-dit " + ofManifest()};
        }

        static String ofManifest() {
            String version = Runner.class.getPackage().getImplementationVersion();
            return version == null ? "(not packaged)" : version;
        }
    }

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) {
        TornadoProperties.apply();
        Runner runner = new Runner();
        runner.interruption.install(System.err, Surroundings.read().terminal());
        int exitCode = run(runner, System.out, System.err, args);
        if (FailedDevices.any()) {
            Interruption.halt(exitCode);
        }
        System.exit(exitCode); // libraries may keep threads alive
    }

    /** Runs one command; what {@link #main} does, without ending the process. */
    public static int run(PrintStream out, PrintStream err, String... args) {
        return run(new Runner(), out, err, args);
    }

    private static int run(Runner runner, PrintStream out, PrintStream err, String... args) {
        runner.stdout = out;
        CommandLine commandLine = new CommandLine(runner)
                .setOut(new PrintWriter(out, true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(new PrintableWriter(new OutputStreamWriter(err, StandardCharsets.UTF_8)), true))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpWidth(helpWidth(args))
                .setParameterExceptionHandler(Runner::reportUsage)
                .setExecutionExceptionHandler(Runner::report);
        int exitCode;
        try {
            exitCode = commandLine.execute(args);
        } catch (Error error) { // picocli passes on what is no Exception
            exitCode = report(error, commandLine, Arrays.asList(args));
        }
        // A full disk or a reader that is gone: print streams only remember it.
        if (commandLine.getOut().checkError() | out.checkError()) {
            commandLine.getErr().println("dit: not all results could be written to stdout");
            return exitCode == ExitCode.DONE ? ExitCode.FAILURE : exitCode;
        }
        return exitCode;
    }

    /** Asks for the terminal's width only where help is printed: it takes a process. */
    private static int helpWidth(String... args) {
        boolean help = Arrays.stream(args).anyMatch(word -> word.matches("-h|--help|help"));
        int columns = help ? Surroundings.columns().orElse(HELP_WIDTH) : HELP_WIDTH;
        return Math.clamp(columns, NARROWEST_HELP, HELP_WIDTH);
    }

    @Override
    public PrintStream stdout() {
        return stdout;
    }

    @Override
    public String version() {
        return Version.ofManifest();
    }

    @Override
    public boolean debug() {
        return debug;
    }

    @Override
    public Interruption interruption() {
        return interruption;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "which command? See dit --help");
    }

    private static int reportUsage(ParameterException error, String[] args) {
        CommandLine commandLine = error.getCommandLine();
        commandLine
                .getErr()
                .println("dit: "
                        + ErrorLine.oneLine(TypedOptions.inTheUsersWords(
                                String.valueOf(error.getMessage()), commandLine, Arrays.asList(args))));
        boolean suggested = CommandLine.UnmatchedArgumentException.printSuggestions(error, commandLine.getErr());
        if (commandLine.getCommand() instanceof DemoCommand
                && error instanceof CommandLine.UnmatchedArgumentException) {
            commandLine
                    .getErr()
                    .println("See dit demo --help; ./dit sample --model demo takes all options of sampling,"
                            + " ./dit sample other models");
        } else if (!suggested) {
            commandLine.getErr().println("See " + commandLine.getCommandSpec().qualifiedName() + " --help");
        }
        if (Arrays.asList(args).contains("--debug")) {
            error.printStackTrace(commandLine.getErr());
        }
        return commandLine.getCommandSpec().exitCodeOnInvalidInput();
    }

    private static int report(Exception error, CommandLine commandLine, ParseResult parsed) {
        if (error instanceof ParameterException usage) {
            return reportUsage(usage, parsed.originalArgs().toArray(String[]::new));
        }
        return report(error, commandLine, parsed.originalArgs());
    }

    private static int report(Throwable error, CommandLine commandLine, List<String> args) {
        commandLine.getErr().println("dit: " + ErrorLine.of(error));
        if (args.contains("--debug")) {
            error.printStackTrace(commandLine.getErr());
        }
        return ErrorLine.exitCode(error);
    }
}
