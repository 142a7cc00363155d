package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.runner.option.DivisionOptions;
import org.tornadodit.runner.terminal.ExitCode;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** {@code autotune} with made-up times, {@code bench} on the CPU engine, and {@code report} of what they record. */
@ResourceLock(Resources.SYSTEM_PROPERTIES)
class MeasuringCommandsTest {
    private static final String TINY = """
        {"input_size": 4, "patch_size": 2, "in_channels": 4, "hidden_size": 24, "depth": 1, "num_heads": 3,
         "mlp_ratio": 2.0, "num_classes": 5, "learn_sigma": true}
        """;

    @TempDir
    Path folder;

    private Path config;

    @BeforeEach
    void prepare() throws IOException {
        System.setProperty("dit.cache", folder.resolve("cache").toString());
        config = Files.writeString(folder.resolve("tiny.json"), TINY);
    }

    @AfterEach
    void forget() {
        System.clearProperty("dit.cache");
    }

    @Test
    void autotuneTriesEveryVariantKeepsTheFastestAndGoesOnFromThere() throws IOException {
        CommandLineRun first = autotune();
        assertEquals(ExitCode.DONE, first.exitCode(), first.err());
        assertTrue(first.out().contains("| linearFewRows, bias | 2x144x24 | 1 | 11 | "), first.out());
        assertFalse(first.out().contains("refused"), first.out());
        assertTrue(first.out().contains("kernels of a step: "), first.out());
        Path cache;
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            cache = files.findFirst().orElseThrow();
        }
        assertTrue(first.out().contains("kept in " + cache), first.out());

        CommandLineRun second = autotune();
        assertEquals(ExitCode.DONE, second.exitCode(), second.err());
        assertTrue(second.err().contains("15 operations of " + config + ", 15 of them tuned before"), second.err());

        Files.writeString(cache, "{\"format\": 7}");
        CommandLineRun third = autotune("--budget", 0);
        assertTrue(third.err().contains("ignored " + cache + ": it has format 7, this version reads 1"), third.err());
        assertTrue(third.out().contains("15 of 15 operations are left: the budget is used up"), third.out());
    }

    private CommandLineRun autotune(Object... more) {
        return CommandLineRun.of(
                Stream.concat(Stream.of("autotune", "--model", config, "--batch", 1, "--virtual"), Stream.of(more))
                        .toArray());
    }

    /** Times that are made up are of no device that could be chosen. */
    @Test
    void autotuneRefusesWhatMadeUpTimesDoNotHeed() {
        for (Object[] idle : new Object[][] {
            {"--device", "tornado"},
            {"--devices", "cpu:2"},
            {"--device-weights", "1"},
            {"--fail-fast"},
            {"--threads", 2},
            {"--no-kernel-cache"},
            {"--plan", "samples"},
            {"--ulysses-degree", 2}
        }) {
            CommandLineRun run = autotune(idle);
            assertEquals(ExitCode.USAGE, run.exitCode(), idle[0] + run.err());
            assertTrue(
                    run.err()
                            .startsWith("dit: " + idle[0]
                                    + " has no effect with --virtual, which makes the times of one device up"),
                    run.err());
        }
        CommandLineRun heeded =
                autotune("--budget", 0, "--again", "--kernels", "portable", "--matmul-precision", "high");
        assertEquals(ExitCode.DONE, heeded.exitCode(), heeded.err());
    }

    /** Two GPUs can have half of the guidance each, of the heads, queries, weights or blocks, for all tokens or for patches, and share the weights in the first three; the fastest comes first, and none sends nothing but one. */
    @Test
    void planPrintsWhatEachWayShouldTake() {
        CommandLineRun run = CommandLineRun.of("plan", "--model", "DiT-XL/2", "--image-size", 256, "--gpus", 2);
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        List<String> rows = run.out().lines().skip(1).toList();
        assertEquals(10, rows.size(), run.out());
        assertEquals(
                3,
                rows.stream()
                        .filter(row -> row.contains(" --fully-shard-degree 2 "))
                        .count(),
                run.out());
        assertTrue(rows.getFirst().startsWith("--data-parallel-degree 1 --use-cfg-parallel "), run.out());
        assertTrue(rows.stream().anyMatch(row -> row.contains("--ulysses-degree 2")), run.out());
        assertTrue(
                rows.stream().anyMatch(row -> row.contains("--pipeline-parallel-degree 2 --micro-batches ")),
                run.out());
        assertTrue(rows.stream().anyMatch(row -> row.contains(" 1.00      0 bytes ")), run.out());
        assertTrue(
                rows.stream()
                        .allMatch(row -> row.endsWith(
                                row.contains("tensor") ? "FP32" : row.contains("pipefusion") ? "approximate" : "same")),
                run.out());
        assertTrue(rows.stream().anyMatch(row -> row.contains("--pipefusion-parallel-degree 2 --num-pipeline-patch ")));
        assertEquals(ExitCode.USAGE, CommandLineRun.of("plan", "--gpus", 0).exitCode());
        for (String idle : List.of("--kernels", "--vae")) {
            CommandLineRun refused = CommandLineRun.of("plan", idle, "portable");
            assertEquals(ExitCode.USAGE, refused.exitCode(), refused.out());
            assertTrue(refused.err().startsWith("dit: Unknown option"), refused.err());
        }
    }

    /** A plan is of steps: weights that have no decoder beside them do. */
    @Test
    void planOfWeightsWantsNoDecoder(@TempDir Path weights) throws IOException {
        TinyModelFiles model = TinyModelFiles.writeOfTwoBlocks(weights);
        Path alone = Files.createDirectory(weights.resolve("alone")).resolve("tiny.safetensors");
        Files.move(model.checkpoint(), alone);
        CommandLineRun run = CommandLineRun.of("plan", "--model", model.config(), "--ckpt", alone);
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
    }

    /** Of several records of a way the newest counts, and none of another model, batch, precision or of portable kernels. */
    @Test
    void planShowsRecordedSteps(@TempDir Path records) throws IOException {
        String record = "{\"format\": 1, \"kind\": \"bench\", \"date\": \"2026-11-%sT10:00:00Z\", \"device\": \"H%s\","
                + " \"devices\": %d, \"options\": {\"model\": \"DiT-B/2\", \"image_size\": 256, \"batch\": %d,"
                + " \"guidance\": 4, \"precision\": \"high\", \"kernels\": \"%s\"%s}, \"measurements\": [{\"name\":"
                + " \"step\", \"ms\": %s}]}";
        String halves = ", \"division\": \"--data-parallel-degree 1 --use-cfg-parallel\"";
        List<String> all = List.of(
                record.formatted("01", 200, 1, 1, "auto", "", 3.25),
                record.formatted("02", 100, 2, 1, "auto", halves, 2.5),
                record.formatted("03", 200, 2, 1, "auto", halves, 2.25),
                record.formatted("04", 200, 2, 2, "auto", halves, 9.5),
                record.formatted("05", 200, 1, 1, "portable", "", 9.75));
        for (int i = 0; i < all.size(); i++) {
            Files.writeString(records.resolve(i + ".json"), all.get(i));
        }
        String[] words = {"plan", "--model", "DiT-B/2", "--image-size", "256", "--records", records.toString()};
        CommandLineRun high = CommandLineRun.of(Stream.concat(Stream.of(words), Stream.of("--matmul-precision", "high"))
                .toArray());
        assertEquals(ExitCode.DONE, high.exitCode(), high.err());
        List<String> lines = high.out().lines().toList();
        assertTrue(lines.getFirst().endsWith(" bits        measured, ms"), high.out());
        List<String> shown =
                lines.stream().filter(line -> line.contains("2026")).toList();
        assertEquals(2, shown.size(), high.out());
        assertTrue(
                shown.stream()
                        .anyMatch(line ->
                                line.contains("--use-cfg-parallel ") && line.endsWith(" 2.25, H200, 3 November 2026")),
                high.out());
        assertTrue(
                shown.stream()
                        .anyMatch(line -> line.startsWith("--data-parallel-degree 1  ")
                                && line.endsWith(" 3.25, H200, 1 November 2026")),
                high.out());
        CommandLineRun highest = CommandLineRun.of((Object[]) words);
        assertFalse(highest.out().contains("measured"), highest.out());
        assertEquals("", high.err());
        Files.writeString(records.resolve("odd.json"), record.formatted("06", 200, -1, 1, "auto", "", 1.5));
        CommandLineRun odd = CommandLineRun.of(Stream.concat(Stream.of(words), Stream.of("--matmul-precision", "high"))
                .toArray());
        assertEquals(ExitCode.DONE, odd.exitCode(), odd.err());
        assertEquals("not used: odd.json has -1 devices, expected 1 to 1024\n", odd.err());
        assertEquals(high.out(), odd.out());
        CommandLineRun missing = CommandLineRun.of("plan", "--records", records.resolve("none"));
        assertEquals(ExitCode.USAGE, missing.exitCode());
        assertTrue(missing.err().contains("--records: there is no folder "), missing.err());
    }

    /** Models of a velocity have samplers of their own; one that adapts takes as many runs as its calls want. */
    @Test
    void benchTimesSamplersOfVelocities() throws IOException {
        for (String words : List.of("sit euler", "sit dopri5", "meanflow meanflow")) {
            String[] pair = words.split(" ");
            Path json = folder.resolve(pair[1] + ".json");
            CommandLineRun run = CommandLineRun.of(
                    "bench",
                    "step",
                    "--random-weights",
                    "--device",
                    "cpu",
                    "--model",
                    config,
                    "--objective",
                    pair[0],
                    "--sampler",
                    pair[1],
                    "--class-labels",
                    1,
                    "--repetitions",
                    70,
                    "--warm-up",
                    3,
                    "--json",
                    json);
            assertEquals(ExitCode.DONE, run.exitCode(), run.err());
            JsonObject step = JsonParser.parseString(Files.readString(json))
                    .getAsJsonObject()
                    .getAsJsonArray("measurements")
                    .get(0)
                    .getAsJsonObject();
            assertEquals(70, step.get("repetitions").getAsInt(), run.out());
        }
        CommandLineRun run = CommandLineRun.of(
                "bench",
                "step",
                "--random-weights",
                "--device",
                "cpu",
                "--model",
                "SiT-S/8",
                "--image-size",
                128,
                "--num-classes",
                3,
                "--sampler",
                "ddim");
        assertEquals(ExitCode.USAGE, run.exitCode());
        assertTrue(run.err().contains("sampler ddim is not for SiT models"), run.err());
    }

    /** Nor does it leave out what is heeded. */
    @Test
    void autotuneHelpOffersNothingThatIsRefused() {
        List<String> idle = Stream.concat(
                        Stream.of("--device-weights", "--fail-fast", "--threads"), DivisionOptions.NAMES.stream())
                .toList();
        CommandSpec autotune = Objects.requireNonNull(
                        new CommandLine(new Runner()).getSubcommands().get("autotune"))
                .getCommandSpec();
        for (OptionSpec option : autotune.options()) {
            assertEquals(Stream.of(option.names()).anyMatch(idle::contains), option.hidden(), option.longestName());
        }
        List<String> offered =
                autotune.options().stream().map(OptionSpec::longestName).toList();
        assertTrue(
                offered.containsAll(List.of("--device", "--devices", "--no-kernel-cache", "--kernels", "--budget")),
                offered::toString);
        String help = CommandLineRun.of("autotune", "--help").out();
        for (String name : idle) {
            assertFalse(help.contains(name), name);
            String value = name.equals("--use-cfg-parallel") || name.equals("--fail-fast")
                    ? ""
                    : name.equals("--plan") ? "=auto" : "=2";
            CommandLineRun run = CommandLineRun.of("autotune", "--model", config, name + value);
            assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
            assertTrue(run.err().startsWith("dit: " + name + " has no effect on autotune, which tunes "), run.err());
        }
    }

    /** Nothing is compiled for devices that the processor emulates. */
    @Test
    void virtualDevicesKeepNoKernels() {
        String refused =
                "dit: --no-kernel-cache has no effect with --devices cpu:N, for which no kernel is compiled; leave"
                        + " one of them out";
        for (List<Object> words : List.of(
                List.<Object>of("autotune", "--model", config),
                List.<Object>of("bench", "step", "--model", config, "--random-weights"),
                List.<Object>of("bench", "soak", "--model", "demo"),
                List.<Object>of("sample", "--model", "demo", "--dry-run"))) {
            CommandLineRun run = CommandLineRun.of(
                    Stream.concat(words.stream(), Stream.of("--devices", "cpu:1", "--no-kernel-cache"))
                            .toArray());
            assertEquals(ExitCode.USAGE, run.exitCode(), words + run.err());
            assertTrue(run.err().startsWith(refused), words + run.err());
        }
    }

    /** As many as --repetitions are timed, whatever a run has. */
    @Test
    void benchRefusesANumberOfStepsWhereNoSamplingIsTimed() {
        for (List<Object> timed : List.of(List.<Object>of(), List.<Object>of("step"), List.<Object>of("vae", "step"))) {
            List<Object> words = new ArrayList<>(List.of("bench"));
            words.addAll(timed);
            words.addAll(List.of("--random-weights", "--device", "cpu", "--model", config));
            words.addAll(List.of("--vae", CommandLineRun.ROOT.resolve("reference/data/vae-tiny")));
            words.addAll(List.of("--class-labels", 1, "--repetitions", 1, "--warm-up", 1, "--num-sampling-steps", 3));
            CommandLineRun run = CommandLineRun.of(words.toArray());
            assertEquals(ExitCode.USAGE, run.exitCode(), timed + run.err());
            assertTrue(
                    run.err()
                            .startsWith("dit: --num-sampling-steps has no effect without sampling: a step is timed"
                                    + " --repetitions times; leave it out, or time sampling"),
                    timed + run.err());
        }
    }

    @Test
    void autotuneWantsADevice() {
        CommandLineRun run = CommandLineRun.of("autotune", "--model", config, "--device", "cpu");
        assertEquals(ExitCode.USAGE, run.exitCode());
        assertTrue(run.err().contains("there is nothing to tune for the CPU engine"), run.err());
        assertEquals(
                ExitCode.USAGE,
                CommandLineRun.of("autotune", "--model", config, "--batch", 0).exitCode());
    }

    @Test
    void benchTimesTheCpuEngineAndReportShowsIt() throws IOException {
        Path results = Files.createDirectory(folder.resolve("results"));
        CommandLineRun bench = CommandLineRun.of(
                "bench",
                "step",
                "vae",
                "sampling",
                "--model",
                config,
                "--random-weights",
                "--vae",
                CommandLineRun.ROOT.resolve("reference/data/vae-tiny"),
                "--device",
                "cpu",
                "--class-labels",
                "1",
                "--num-sampling-steps",
                3,
                "--repetitions",
                2,
                "--warm-up",
                1,
                "--note",
                "<script> & |",
                "--format",
                "csv",
                "--json",
                results.resolve("cpu.json"));
        assertEquals(ExitCode.DONE, bench.exitCode(), bench.err());
        List<String> rows = bench.out().lines().toList();
        assertEquals("name,shape,variant,ms,shortest_ms,longest_ms,repetitions", rows.getFirst());
        assertEquals(
                List.of("step", "first vae", "vae", "sampling"),
                rows.stream().skip(1).map(row -> row.split(",", 2)[0]).toList(),
                bench.out());
        JsonObject record = JsonParser.parseString(Files.readString(results.resolve("cpu.json")))
                .getAsJsonObject();
        for (String key : List.of("date", "command", "device", "java", "project", "options", "measurements")) {
            assertTrue(record.has(key), key);
        }
        assertTrue(record.get("command").getAsString().contains("--note '<script> & |'"), record.toString());

        Files.writeString(results.resolve("newer.json"), "{\"format\": 2}");
        Files.writeString(results.resolve("broken.json"), "{");
        Path html = folder.resolve("report.html");
        Path markdown = folder.resolve("report.md");
        CommandLineRun report = CommandLineRun.of("report", results, "--html", html, "--markdown", markdown);
        assertEquals(ExitCode.DONE, report.exitCode(), report.err());
        assertTrue(report.err().contains("not used: newer.json has format 2, this version reads 1"), report.err());
        assertTrue(report.err().contains("not used: broken.json is no record"), report.err());
        String page = Files.readString(html);
        for (String part : List.of(
                "1. Baseline on one card",
                "2. Profile and bottleneck",
                "3. Optimisation steps on one card",
                "4. Several cards",
                "5. Reproduction")) {
            assertTrue(page.contains(part), part);
        }
        assertTrue(page.contains("&lt;script&gt; &amp; |") && !page.contains("<script"), "escaped");
        assertFalse(page.contains("http://")
                && page.replace("http://www.w3.org/2000/svg", "").contains("http://"));
        // The step's time in the table is the record's.
        double step = record.getAsJsonArray("measurements")
                .get(0)
                .getAsJsonObject()
                .get("ms")
                .getAsDouble();
        String shown = String.format(Locale.ROOT, "%.2f", step);
        assertTrue(page.contains("<td>" + shown + "</td>"), shown);
        assertTrue(Files.readString(markdown).contains("| " + shown + " |"), shown);
    }

    @Test
    void benchPrintsModelOptionsAndThreads() {
        CommandLineRun bench = CommandLineRun.of(
                "bench",
                "step",
                "sampling",
                "--model",
                config,
                "--random-weights",
                "--vae",
                CommandLineRun.ROOT.resolve("reference/data/vae-tiny"),
                "--device",
                "cpu",
                "--class-labels",
                "1,2",
                "--num-sampling-steps",
                "ddim5",
                "--sampler",
                "ddim",
                "--cfg-scale",
                1.5,
                "--threads",
                1,
                "--repetitions",
                1,
                "--warm-up",
                1);
        assertEquals(ExitCode.DONE, bench.exitCode(), bench.err());
        assertTrue(
                bench.out()
                        .contains(config
                                + ", 32 x 32, batch of 2, DDIM of ddim5 steps, guidance 1.5, random weights, 1"
                                + " thread\n"),
                bench.out());
        // A CPU's step is not 0.0 TFLOP/s.
        assertTrue(
                bench.out().lines().anyMatch(line -> line.matches("\\| step .*\\| \\d+\\.\\d\\d GFLOP/s \\|")),
                bench.out());
    }

    /** As plan asks for it. */
    @Test
    void benchRecordsHowDevicesDividedTheBatch(@TempDir Path records) throws IOException {
        Path record = records.resolve("halves.json");
        CommandLineRun bench = CommandLineRun.of(
                "bench",
                "step",
                "--model",
                config,
                "--random-weights",
                "--vae",
                CommandLineRun.ROOT.resolve("reference/data/vae-tiny"),
                "--devices",
                "cpu:2",
                "--use-cfg-parallel",
                "--class-labels",
                1,
                "--repetitions",
                1,
                "--warm-up",
                1,
                "--json",
                record);
        assertEquals(ExitCode.DONE, bench.exitCode(), bench.err());
        assertTrue(
                Files.readString(record).contains("\"division\": \"--data-parallel-degree 1 --use-cfg-parallel\""),
                Files.readString(record));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // has no such names
    void reportShowsNamesAndTextsOnALine() throws IOException {
        Path results = Files.createDirectory(folder.resolve("results"));
        Files.writeString(results.resolve("\u001b[31m\nx.json"), "{");
        Files.writeString(results.resolve("wall.json"), "{\"format\": 0." + "9".repeat(900) + "}");
        Files.writeString(
                results.resolve("good.json"),
                "{\"format\": 1, \"kind\": \"bench\", \"date\": \"today\", \"note\": \"\\u001b[31m" + "w".repeat(5000)
                        + "\", \"command\": \"first \\u0007\\nsecond\"}");
        Path html = folder.resolve("report.html");
        CommandLineRun report = CommandLineRun.of("report", results, "--html", html);
        assertEquals(ExitCode.DONE, report.exitCode(), report.err());
        assertTrue(report.err().contains("not used: ?[31m?x.json is no record"), report.err());
        assertTrue(report.err().contains("not used: wall.json has format 0.99"), report.err());
        assertTrue(report.err().lines().allMatch(line -> line.length() < 300), report.err());
        String page = Files.readString(html);
        assertTrue(page.contains("first ?\nsecond"), page);
        assertFalse(page.contains("\u001b") || page.contains("w".repeat(2001)), page);
    }

    @Test
    void reportWantsRecords() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        CommandLineRun run = CommandLineRun.of("report", empty, "--html", folder.resolve("x.html"));
        assertEquals(ExitCode.FAILURE, run.exitCode());
        assertTrue(run.err().contains("there are no records in " + empty), run.err());
        CommandLineRun missing = CommandLineRun.of("report", folder.resolve("nowhere"));
        assertTrue(missing.err().contains("there is no folder"), missing.err());
    }

    @Test
    void benchRefusesWhatItCannotTime() {
        CommandLineRun kernels =
                CommandLineRun.of("bench", "kernels", "--model", config, "--random-weights", "--device", "cpu");
        assertEquals(ExitCode.USAGE, kernels.exitCode(), kernels.err());
        assertTrue(kernels.err().contains("kernels are TornadoVM's"), kernels.err());
        assertEquals(
                ExitCode.USAGE,
                CommandLineRun.of("bench", "--model", config, "--random-weights", "--repetitions", 0)
                        .exitCode());
    }

    /** What bench says of soak and start is for these to say. */
    @Test
    void benchRefusesWhatItDoesNotHeed() {
        assertRefused("--model has no effect before soak; put it behind", "bench", "--model", "demo", "soak");
        assertRefused("step|sampling|vae|kernels has no effect before soak; put it behind", "bench", "step", "soak");
        assertRefused(
                "--json has no effect before start; put it behind",
                "bench",
                "--json",
                folder.resolve("x.json"),
                "start");
        assertRefused("--runs is 0, expected 1 to 1000000", "bench", "--debug", "soak", "--model", "demo", "--runs", 0);
        assertRefused(
                "--note has no effect without --json",
                "bench",
                "--random-weights",
                "--model",
                config,
                "--note",
                "what");
        for (String line : List.of(
                "kernels --repetitions 3: --repetitions has no effect on kernels",
                "kernels sampling --warm-up 3: --warm-up has no effect without step or vae",
                "step kernels --guidance-high 0.5: --guidance-high has no effect on a step")) {
            List<Object> words = new ArrayList<>(List.of("bench"));
            words.addAll(List.of(line.substring(0, line.indexOf(": ")).split(" ", -1)));
            words.addAll(List.of("--random-weights", "--model", config, "--devices", "cpu:1"));
            assertRefused(line.substring(line.indexOf(": ") + 2), words.toArray());
        }
    }

    private static void assertRefused(String start, Object... words) {
        CommandLineRun run = CommandLineRun.of(words);
        assertEquals(ExitCode.USAGE, run.exitCode(), run.out() + run.err());
        assertTrue(run.err().startsWith("dit: " + start), run.err());
    }
}
