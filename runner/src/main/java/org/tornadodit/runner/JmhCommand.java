package org.tornadodit.runner;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** Times the host side with JMH, in JVMs of its own. */
@Command(
        name = "jmh",
        mixinStandardHelpOptions = true,
        description =
                "JMH benchmarks of the host side. Takes JMH's own words: a pattern of names, -f forks, -i iterations,"
                        + " -wi warm-up, -r seconds, -rf json -rff FILE, -l to list.")
final class JmhCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Parameters(paramLabel = "PATTERN", arity = "0..*", description = "Which benchmarks. Default: all")
    List<String> patterns = new ArrayList<>();

    @Unmatched
    List<String> options = new ArrayList<>();

    @Override
    public Integer call() throws RunnerException {
        // In their order: picocli does not know which of JMH's options take a value.
        List<String> all = spec.root().commandLine().getParseResult().originalArgs();
        List<String> words = all.subList(all.indexOf(spec.name()) + 1, all.size());
        try {
            CommandLineOptions given = new CommandLineOptions(words.toArray(String[]::new));
            if (given.shouldList()) {
                new Runner(given).list();
                return ExitCode.DONE;
            }
            Options withOurs = new OptionsBuilder()
                    .parent(given)
                    .jvmArgsAppend("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED")
                    .build();
            new Runner(withOurs).run();
            return ExitCode.DONE;
        } catch (CommandLineOptionException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
