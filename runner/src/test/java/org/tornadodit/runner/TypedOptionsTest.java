package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.runner.option.DivisionOptions;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.scheduler.tune.DefaultRates;
import org.tornadodit.scheduler.tune.DeviceRates;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Options without effect are refused, whole runs are checked by a dry one, and errors use the user's words. */
class TypedOptionsTest {

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    @SuppressWarnings("NullAway.Init") // set before the tests
    private static TinyModelFiles model;

    @BeforeAll
    static void write() throws IOException {
        model = TinyModelFiles.write(folder);
    }

    @Test
    void whatTheCpuEngineDoesNotHeedIsRefused() {
        for (List<String> idle : List.of(
                List.of("--kernels", "tensor"),
                List.of("--matmul-precision", "high"),
                List.of("--device-weights", "1"),
                List.of("--plan", "samples"),
                List.of("--use-cfg-parallel"),
                List.of("--ulysses-degree", "2"),
                List.of("--ring-degree", "2"),
                List.of("--tensor-parallel-degree", "2"),
                List.of("--pipeline-parallel-degree", "2", "--micro-batches", "2"),
                List.of("--pipefusion-parallel-degree", "2"),
                List.of("--fully-shard-degree", "2"),
                List.of("--fail-fast"))) {
            Object[] options =
                    Stream.concat(Stream.of("--device", "cpu"), idle.stream()).toArray();
            refused(idle.getFirst() + " has no effect with --device cpu", options);
        }
    }

    @Test
    void divisionsThatAreNotPossibleAreRefused() {
        refused("--plan auto chooses degrees, and others are given", "--plan", "auto", "--ulysses-degree", "2");
        refused("--ulysses-degree is 0, expected 1 to 1024", "--devices", "cpu:2", "--ulysses-degree", "0");
        refused("--fully-shard-degree is 9, expected 1 to 8", "--devices", "cpu:2", "--fully-shard-degree", "9");
        refused(
                "--fully-shard-degree 4 is for 4 devices that compute a sample together, there are 2; see --devices",
                "--devices",
                "cpu:2",
                "--fully-shard-degree",
                "4");
        refused(
                "--tensor-parallel-degree 2 leaves each device a share of the blocks' weights",
                "--devices",
                "cpu:2",
                "--tensor-parallel-degree",
                "2",
                "--fully-shard-degree",
                "2");
        refused("wants 8 devices, there are 2; see --devices", "--devices", "cpu:2", "--data-parallel-degree", "8");
        refused(
                "--num-pipeline-patch is of patches that go through stages: give --pipefusion-parallel-degree of 2 or"
                        + " more too, or leave it out",
                "--devices",
                "cpu:2",
                "--num-pipeline-patch",
                "2");
        refused(
                "--pipefusion-parallel-degree and --pipeline-parallel-degree: give one of them",
                "--devices",
                "cpu:2",
                "--pipefusion-parallel-degree",
                "2",
                "--pipeline-parallel-degree",
                "2");
        refused(
                "--num-pipeline-patch is 1, expected 2 to 1024",
                "--devices",
                "cpu:2",
                "--pipefusion-parallel-degree",
                "2",
                "--num-pipeline-patch",
                "1");
        refused(
                "--warmup-steps is 0, and the first step has no keys and values of a step before",
                "--devices",
                "cpu:2",
                "--pipefusion-parallel-degree",
                "2",
                "--warmup-steps",
                "0");
        refused(
                "halves of guidance, and the samples are not guided (--cfg-scale 1)",
                "--devices",
                "cpu:2",
                "--use-cfg-parallel",
                "--cfg-scale",
                "1");
    }

    @Test
    void whatDdpmAndDevicesDoNotHeedIsRefused() {
        refused("--eta has no effect with --sampler ddpm", "--device", "cpu", "--eta", "0.5");
        refused("--threads has no effect with --devices", "--devices", "cpu:2", "--threads", "2");
        refused("--preview 10 has no effect", "--device", "cpu", "--num-sampling-steps", "10", "--preview", "10");
        refused("--checkpoint-steps 11", "--num-sampling-steps", "10", "--checkpoint-steps", "11");
        assertEquals(ExitCode.DONE, dry("--sampler", "ddim", "--eta", "0.5").exitCode());
        refused(
                "--timestep-spacing has no effect with --sampler ddpm; leave it out, or give --sampler dpm++",
                "--timestep-spacing",
                "trailing");
        refused("--solver-type has no effect with --sampler ddim", "--sampler", "ddim", "--solver-type", "heun");
        refused(
                "solver type heun is not of unipc, expected bh1 or bh2",
                "--sampler",
                "unipc",
                "--solver-type",
                "heun",
                "--num-sampling-steps",
                "20");
        refused(
                "--solver-type has no effect with --solver-order 1, which does not look back; leave one of them out",
                "--sampler",
                "dpm++",
                "--solver-order",
                "1",
                "--solver-type",
                "heun");
        refused("--guidance-low has no effect without guidance", "--cfg-scale", "1", "--guidance-low", "0.2");
        refused("solver order 3, expected 1 or 2", "--sampler", "dpm++", "--solver-order", "3");
        refused(
                "sampling steps '250,10': dpm++sde takes a number",
                "--sampler",
                "dpm++sde",
                "--num-sampling-steps",
                "250,10");
    }

    @Test
    void picturesArePngAndLatentsNpy() {
        refused("--output is", "--output", folder.resolve("x.jpg"));
        refused("-o is", "-o", folder.resolve("x.jpg"));
        refused("--save-latents is", "--save-latents", folder.resolve("x.pt"));
        assertEquals(ExitCode.DONE, dry("-o", folder.resolve("x.PNG")).exitCode());
        assertEquals(ExitCode.DONE, dry("-o", folder.resolve("x")).exitCode());
    }

    @Test
    void onePictureHasNoRows() {
        refused("--nrow has no effect with --picture 0, which is no grid; leave it out", "--picture", 0, "--nrow", 2);
        assertEquals(ExitCode.DONE, dry("--picture", 0).exitCode());
    }

    @Test
    void theDifferenceIsPngToo() {
        CommandLineRun run = CommandLineRun.of("evaluate", "a.png", "b.png", "--diff", "x.jpg");
        assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
        assertTrue(run.err().startsWith("dit: --diff is x.jpg; it is written as PNG alone"), run.err());
    }

    @Test
    void theDemoTakesWhatSampleTakes() {
        CommandLineRun run = CommandLineRun.of(
                "demo",
                "--dry-run",
                "--guidance-scale",
                "3",
                "--sampler=ddim",
                "--class-labels",
                "ice cream",
                "-o",
                folder.resolve("new") + "/");
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertTrue(
                run.err()
                        .contains("dit sample --model demo --num-sampling-steps 50 --dry-run --guidance-scale 3"
                                + " --sampler=ddim --class-labels 'ice cream' -o "),
                run.err());
        assertTrue(run.out().contains("steps    50 DDIM, guidance 3 on 3 channels"), run.out());
        assertTrue(run.out().contains("0_ice-cream.png"), run.out());
        CommandLineRun steps = CommandLineRun.of("--debug", "demo", "--dry-run", "--num-inference-steps", "7");
        assertTrue(steps.out().contains("steps    7 DDPM"), steps.out() + steps.err());
        String help = CommandLineRun.of("demo", "--help").out();
        assertTrue(help.contains("Default: 50") && !help.contains("Default: 250"), help);
    }

    @Test
    void whatTheDemoDoesNotKnowPointsToSample() {
        for (String unknown : List.of("--ckpt=x", "--model=x", "--smapler=ddim")) {
            CommandLineRun run = CommandLineRun.of("demo", unknown);
            assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
            assertTrue(run.err().contains("./dit sample --model demo"), run.err());
        }
    }

    @Test
    void errorsNameTheAliasThatWasTyped() {
        refused("--guidance-scale is -1.0", "--guidance-scale", "-1");
        refused("--cfg-scale is -1.0", "--cfg-scale=-1");
        refused("'--guidance-scale'", "--guidance-scale", "x");
    }

    @Test
    void choicesAreWrittenAsInHelp() {
        refused(
                "--sampler is \"plms\", expected ddpm, ddim, dpm++, dpm++sde, unipc, euler, heun, dopri5,"
                        + " euler-maruyama, heun-sde or meanflow",
                "--sampler",
                "plms");
        refused("--device is \"gpu\", expected auto, cpu or tornado", "--device", "gpu");
    }

    @Test
    void aDryRunChecksWhatTheRunChecks() throws IOException {
        Path wrong = Files.writeString(
                folder.resolve("wrong.json"),
                Files.readString(folder.resolve("tiny.json")).replace("\"depth\": 1", "\"depth\": 2"));
        CommandLineRun tensors = dry("--model", wrong);
        assertEquals(ExitCode.CHECKPOINT, tensors.exitCode(), tensors.err());
        assertTrue(tensors.err().contains("missing blocks.1."), tensors.err());
        CommandLineRun output = dry("--output", folder.resolve("nowhere/a.png"));
        assertEquals(ExitCode.FAILURE, output.exitCode(), output.err());
        assertTrue(output.err().contains("cannot write"), output.err());
        CommandLineRun same = dry("--output", folder.resolve("same"), "--save-latents", folder.resolve("same"));
        assertTrue(same.err().contains("two outputs have the same name"), same.err());
    }

    @Test
    void weightsThatAreNotThereAreMissedBeforeTheirAutoencoder() {
        CommandLineRun run = CommandLineRun.of("sample", "--ckpt", folder.resolve("nothing.pt"), "--dry-run");
        assertEquals(ExitCode.CHECKPOINT, run.exitCode(), run.err());
        assertTrue(run.err().contains("nothing.pt: no such file"), run.err());
    }

    @Test
    void threadsBeyondTheProcessorsAreNoFaster() {
        int processors = Runtime.getRuntime().availableProcessors();
        DeviceRates rates = new DefaultRates();
        assertEquals(rates.ofCpu(processors), rates.ofCpu(1000));
        assertTrue(rates.ofCpu(1).denoiser() <= rates.ofCpu(processors).denoiser());
    }

    @Test
    void autotuneSaysThatThereIsNoSdk() {
        CommandLineRun run = CommandLineRun.of("autotune", "--model", folder.resolve("tiny.json"));
        assertEquals(ExitCode.NO_DEVICE, run.exitCode(), run.err());
        assertTrue(run.err().contains("no TornadoVM SDK"), run.err());
    }

    private static CommandLineRun dry(Object... options) {
        List<Object> all = new ArrayList<>();
        List<Object> given = List.of(options);
        if (given.contains("--model")) {
            all.addAll(List.of("sample", "--ckpt", folder.resolve("tiny.safetensors"), "--vae", folder.resolve("vae")));
        } else {
            all.addAll(model.sample());
        }
        all.add("--dry-run");
        all.addAll(given);
        return CommandLineRun.of(all.toArray());
    }

    private static void refused(String message, Object... options) {
        CommandLineRun run = dry(options);
        assertEquals(ExitCode.USAGE, run.exitCode(), run.out() + run.err());
        assertTrue(run.err().startsWith("dit: ") && run.err().contains(message), run.err());
        assertFalse(run.err().contains("[DDPM"), run.err());
    }

    /** The list of names, by which commands refuse all of them, misses none. */
    @Test
    void allOptionsOfDivisionAreListed() {
        assertEquals(
                Set.copyOf(DivisionOptions.NAMES),
                CommandSpec.forAnnotatedObject(new DivisionOptions()).options().stream()
                        .map(OptionSpec::longestName)
                        .collect(Collectors.toSet()));
    }
}
