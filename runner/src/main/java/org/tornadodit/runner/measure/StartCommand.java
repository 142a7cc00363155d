package org.tornadodit.runner.measure;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Surroundings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Whole processes of {@code dit sample}, from the shell to the picture. */
@Command(
        name = "start",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Times whole processes of ./dit sample: when they are ready for the first step, and when they have ended.",
            "The first is a cold start: it finds no kernels that are kept, and the NVIDIA driver's cache is empty. The"
                    + " others find what the first has left. Neither touches the user's own caches. What is in the"
                    + " page cache of the system stays there."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  dit bench start -- --model demo --device tornado",
            "  dit bench start -- --model DiT-XL/2 --devices 0,1"
        })
final class StartCommand implements Callable<Integer> {
    private static final Pattern READY = Pattern.compile("(?m)^ +([0-9.]+) +ready$");

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(
            names = "--runs",
            paramLabel = "N",
            defaultValue = "3",
            description = "Starts after the cold one. Default: ${DEFAULT-VALUE}")
    int runs = 3;

    @Parameters(
            paramLabel = "OPTION",
            description = "Options of ./dit sample, behind a --. Without --output the pictures are thrown away")
    List<String> options = List.of();

    private final Surroundings surroundings;

    StartCommand() {
        this(Surroundings.read());
    }

    /** @param surroundings whose home has the launcher */
    StartCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /**
     * One process.
     *
     * @param ready seconds until the first step
     * @param whole seconds until it had ended
     * @param table where the time until the first step went
     */
    private record Start(double ready, double whole, List<String> table) {}

    @Override
    public Integer call() throws IOException {
        TypedOptions.requireNothingBefore(spec);
        if (runs < 1 || runs > 1000) {
            throw new ParameterException(spec.commandLine(), "--runs is " + runs + ", expected 1 to 1000");
        }
        Path launcher = launcher();
        Path folder = Files.createTempDirectory("dit-start");
        try {
            List<Start> starts = new ArrayList<>();
            PrintWriter err = spec.commandLine().getErr();
            for (int run = 0; run <= runs; run++) {
                starts.add(start(launcher, folder));
                Start last = starts.getLast();
                err.printf(
                        Locale.ROOT,
                        "start %d of %d: ready after %.2f s, ended after %.2f s%n",
                        run + 1,
                        runs + 1,
                        last.ready(),
                        last.whole());
            }
            lines(starts).forEach(spec.commandLine().getOut()::println);
        } finally {
            delete(folder);
        }
        return ExitCode.DONE;
    }

    /** Of a checkout, or of a distribution, which has it in bin. */
    private Path launcher() {
        Path home = surroundings.home();
        return Stream.of(home.resolve("dit"), home.resolve("bin").resolve("dit"))
                .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "there is no launcher dit in %s, nor in its folder bin; run this through dit".formatted(home)));
    }

    private Start start(Path launcher, Path folder) throws IOException {
        List<String> command = new ArrayList<>(List.of(launcher.toString(), "sample", "--debug"));
        command.addAll(options);
        if (options.stream().noneMatch(option -> option.matches("-o.*|--output(=.*)?"))) {
            command.addAll(List.of("--output", folder.resolve("picture.png").toString()));
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        String flags = builder.environment().getOrDefault("DIT_JVM_OPTS", "");
        builder.environment().put("DIT_JVM_OPTS", flags + " -Ddit.kernels=" + folder.resolve("kernels"));
        builder.environment().put("CUDA_CACHE_PATH", folder.resolve("driver").toString());
        long begun = System.nanoTime();
        Process process = builder.start();
        process.getOutputStream().close();
        String words;
        try (InputStream in = process.getInputStream()) {
            words = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        int code;
        try {
            code = process.waitFor();
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
        double whole = (System.nanoTime() - begun) / 1e9;
        Matcher ready = READY.matcher(words);
        if (code != ExitCode.DONE || !ready.find()) {
            throw new IllegalStateException(String.join(" ", command) + " ended with " + code + ": "
                    + words.strip().lines().reduce((first, last) -> last).orElse("no words"));
        }
        List<String> table = words.lines()
                .dropWhile(line -> !line.strip().startsWith("begin"))
                .takeWhile(line -> !line.endsWith("ready"))
                .toList();
        return new Start(Double.parseDouble(ready.group(1)), whole, table);
    }

    private static List<String> lines(List<Start> starts) {
        List<String> lines = new ArrayList<>();
        lines.add("| start | ready for the first step, s | ended, s |");
        lines.add("|---|---|---|");
        Start cold = starts.getFirst();
        List<Start> warm = starts.subList(1, starts.size());
        lines.add(String.format(Locale.ROOT, "| first | %.2f | %.2f |", cold.ready(), cold.whole()));
        lines.add(String.format(
                Locale.ROOT,
                "| later, median of %d | %.2f | %.2f |",
                warm.size(),
                median(warm.stream().map(Start::ready).toList()),
                median(warm.stream().map(Start::whole).toList())));
        lines.add("");
        lines.add("The first:");
        lines.addAll(cold.table());
        lines.add("");
        lines.add("The last:");
        lines.addAll(warm.getLast().table());
        return lines;
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
                Files.deleteIfExists(file);
            }
        }
    }
}
