package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.model.io.file.StateFile;
import org.tornadodit.runner.terminal.ExitCode;

/** The state of a run whose only device failed: goes on elsewhere, and is refused by what is another run. */
class ResumeTest {
    private static final int STEPS = 4;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private TinyModelFiles model;

    @BeforeEach
    void writeModel() throws IOException {
        model = TinyModelFiles.write(Files.createDirectory(folder.resolve("model")));
    }

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().devices().forEach(device -> device.faults().clear());
        HostRuntime.get().setDeviceCount(1);
    }

    /** In the second batch, after its third step. */
    private Path stop(String name, Object... options) {
        HostRuntime.get()
                .device(0)
                .faults()
                .failLaunch("d0_last.step", 1 + STEPS + STEPS); // the first is the warm-up's
        CommandLineRun run = run(name, join(options, "--devices", "cpu:1", "--checkpoint-steps", STEPS - 1));
        assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
        return folder.resolve(name + ".state.safetensors");
    }

    @Test
    void goesOnOnOtherDevicesWithEitherGenerator() throws IOException {
        for (String rng : List.of("cuda", "cpu")) {
            Object[] options = {"--rng", rng};
            Path state = stop(rng, options);
            CommandLineRun whole = run(rng + "-whole", join(options, "--devices", "cpu:1", "--checkpoint-steps", 3));
            assertEquals(ExitCode.DONE, whole.exitCode(), whole.err());
            assertFalse(Files.exists(folder.resolve(rng + "-whole.state.safetensors")), "the run is complete");

            CommandLineRun resumed = run(rng, join(options, "--devices", "cpu:3", "--resume", state));
            assertEquals(ExitCode.DONE, resumed.exitCode(), resumed.err());
            assertTrue(resumed.err().contains("goes on in batch 2 after step 3"), resumed.err());
            for (int batch = 0; batch < 2; batch++) {
                assertArrayEquals(
                        Files.readAllBytes(folder.resolve(rng + "-whole_" + batch + ".png")),
                        Files.readAllBytes(folder.resolve(rng + "_" + batch + ".png")),
                        "batch " + batch);
            }
        }
    }

    /** On the kernels that ship for GPUs, and two devices of which one fails between two states. */
    @Test
    void goesOnOnTensorCoresToTheBitsOfOneDevice() throws IOException {
        model = TinyModelFiles.writeForTensorCores(Files.createDirectory(folder.resolve("tensor")));
        Object[] options = {"--kernels", "tensor", "--batches", 1};
        CommandLineRun whole = run("whole", join(options, "--devices", "cpu:1"));
        assertEquals(ExitCode.DONE, whole.exitCode(), whole.err());

        Path state = folder.resolve("stopped.state.safetensors");
        // Devices do not wait for one another: the one that fails may do so before the other has done two steps.
        for (int tries = 0; tries < 20 && !Files.exists(state); tries++) {
            HostRuntime.get().setDeviceCount(2);
            HostRuntime.get().device(1).faults().failLaunch("d1_last.step", STEPS); // the first is the warm-up's
            CommandLineRun stopped =
                    run("stopped", join(options, "--devices", "cpu:2", "--fail-fast", "--checkpoint-steps", 2));
            assertEquals(ExitCode.FAILURE, stopped.exitCode(), stopped.err());
            assertFalse(Files.exists(folder.resolve("stopped.png")));
            HostRuntime.get().renewDevices();
        }

        CommandLineRun resumed = run("stopped", join(options, "--devices", "cpu:2", "--resume", state));
        assertEquals(ExitCode.DONE, resumed.exitCode(), resumed.err());
        assertTrue(resumed.err().contains("goes on after step 2"), resumed.err());
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("whole.png")), Files.readAllBytes(folder.resolve("stopped.png")));
    }

    /** A sampler that remembers steps: its history is in the state, and the stream has noise for the steps of the SDE. */
    @ParameterizedTest
    @CsvSource({
        "dpm++, DPM-Solver++, 2, DPMSolverMultistepScheduler",
        "dpm++sde, SDE-DPM-Solver++, 2, sde-dpmsolver++",
        "unipc, UniPC, 3, UniPCMultistepScheduler"
    })
    void aMultistepSamplerGoesOnWithItsHistory(String sampler, String title, int arrays, String alias)
            throws IOException {
        Object[] options = {"--sampler", sampler, "--timestep-spacing", "trailing"};
        Path state = stop(sampler, options);
        StateFile stored = StateFile.read(state, facts -> {}, Shape.of(3, 4, 2, 2), arrays);
        assertEquals(title, stored.facts().get("--sampler"));
        refused(ExitCode.USAGE, "was made with --sampler " + title, state, "--sampler", "ddpm");
        refused(
                ExitCode.USAGE,
                "was made with --timestep-spacing trailing, the command has linspace",
                state,
                "--sampler",
                sampler);
        CommandLineRun whole = run(sampler + "-whole", join(options, "--devices", "cpu:1"));
        assertEquals(ExitCode.DONE, whole.exitCode(), whole.err());
        CommandLineRun resumed = run(
                sampler, "--devices", "cpu:3", "--resume", state, "--sampler", alias, "--timestep-spacing", "trailing");
        assertEquals(ExitCode.DONE, resumed.exitCode(), resumed.err());
        assertArrayEquals(
                Files.readAllBytes(folder.resolve(sampler + "-whole_1.png")),
                Files.readAllBytes(folder.resolve(sampler + "_1.png")));
    }

    @Test
    void aStateOfAnotherRunIsRefused() throws IOException {
        Path state = stop("stopped");
        refused(ExitCode.USAGE, "was made with --seed 0, the command has 1", state, "--seed", "1");
        refused(ExitCode.USAGE, "was made with --cfg-scale 4.0, the command has 2.0", state, "--cfg-scale", "2");
        refused(ExitCode.USAGE, "was made with --sampler DDPM", state, "--sampler", "ddim");
        refused(ExitCode.USAGE, "was made with --rng CUDA", state, "--rng", "cpu");
        refused(ExitCode.CHECKPOINT, "other weights", state, "--model", "demo");
        byte[] damaged = Files.readAllBytes(state);
        damaged[damaged.length - 1] ^= 1;
        refused(ExitCode.CHECKPOINT, "the state is damaged", Files.write(folder.resolve("damaged"), damaged));
        refused(ExitCode.CHECKPOINT, "no such file", folder.resolve("none"));
        refused(ExitCode.CHECKPOINT, "this is no state", folder.resolve("model/tiny.safetensors"));

        CommandLineRun dry = run("stopped", "--device", "cpu", "--resume", state, "--dry-run");
        assertEquals(ExitCode.DONE, dry.exitCode(), dry.err());
        assertTrue(dry.out().contains("resume   in batch 2 after step 3"), dry.out());
        CommandLineRun cpu = run("stopped", "--device", "cpu", "--resume", state);
        assertEquals(ExitCode.DONE, cpu.exitCode(), cpu.err());
        assertTrue(cpu.err().contains("the picture is the same but for rounding"), cpu.err());
    }

    /** What a state was made with counts also where the command says nothing of it. */
    @Test
    void aStateOfMoreThanTheCommandIsRefused() throws IOException {
        Path guided = stop("guided", "--guidance-high", "0.5");
        refused(ExitCode.USAGE, "was made with --guidance-high 0.5, the command has 1.0", guided);
        CommandLineRun same = run("guided", "--device", "cpu", "--resume", guided, "--guidance-high", "0.5");
        assertEquals(ExitCode.DONE, same.exitCode(), same.err());

        Map<String, String> facts = new HashMap<>();
        StateFile stored = StateFile.read(stop("stopped"), facts::putAll, Shape.of(3, 4, 2, 2), 1);
        facts.put("--interpolate", "3");
        Path row = folder.resolve("row.safetensors");
        new StateFile(facts, Shape.of(3, 4, 2, 2), stored.arrays()).write(row);
        refused(ExitCode.USAGE, "was made with --interpolate 3, the command has (nothing)", row);
    }

    @ParameterizedTest
    @CsvSource({"dpm++, midpoint, heun", "unipc, bh2, bh1"})
    void aSolversOwnTypeMayBeNamed(String sampler, String own, String other) throws IOException {
        Path state = stop(sampler, "--sampler", sampler);
        refused(ExitCode.USAGE, "--solver-type", state, "--sampler", sampler, "--solver-type", other);
        CommandLineRun named =
                run(sampler, "--device", "cpu", "--resume", state, "--sampler", sampler, "--solver-type", own);
        assertEquals(ExitCode.DONE, named.exitCode(), named.err());
    }

    @Test
    void aStateThatHoldsNaNIsRefused() throws IOException {
        Path state = stop("stopped");
        StateFile stored = StateFile.read(state, facts -> {}, Shape.of(3, 4, 2, 2), 1);
        stored.arrays().getFirst()[5] = Float.NaN;
        Path spoiled = folder.resolve("spoiled.safetensors");
        stored.write(spoiled);
        refused(ExitCode.CHECKPOINT, "the state's latents hold NaN, expected numbers", spoiled);
    }

    @Test
    void stepsAreChecked() {
        assertEquals(
                ExitCode.USAGE,
                run("x", "--device", "cpu", "--checkpoint-steps", "0").exitCode());
        Path clash = folder.resolve("x.state.safetensors");
        CommandLineRun run =
                run("x", "--device", "cpu", "--checkpoint-steps", "1", "--batches", "1", "--save-latents", clash);
        assertTrue(run.err().contains("--save-latents is " + clash), run.err());
    }

    private void refused(int exitCode, String message, Path state, Object... options) {
        List<Object> arguments = new ArrayList<>(List.of("--device", "cpu", "--resume", state));
        arguments.addAll(Arrays.asList(options));
        CommandLineRun run = run("refused", arguments.toArray());
        assertEquals(exitCode, run.exitCode(), run.err());
        String line = run.err().lines().findFirst().orElse("");
        assertTrue(line.startsWith("dit: ") && line.contains(message), run.err());
        assertTrue(run.err().lines().count() <= 2, run.err());
        assertEquals("", run.out());
    }

    private CommandLineRun run(String name, Object... options) {
        List<Object> arguments = new ArrayList<>(List.of(
                "sample",
                "--class-labels",
                "0,1,2",
                "--num-sampling-steps",
                STEPS,
                "--quiet",
                "--output",
                folder.resolve(name + ".png")));
        if (!List.of(options).contains("--model")) {
            arguments.addAll(model.sample().subList(1, model.sample().size()));
        }
        if (!List.of(options).contains("--batches")) {
            arguments.addAll(List.of("--batches", 2));
        }
        arguments.addAll(Arrays.asList(options));
        return CommandLineRun.of(arguments.toArray());
    }

    private static Object[] join(Object[] options, Object... more) {
        return Stream.concat(Arrays.stream(options), Arrays.stream(more)).toArray();
    }
}
