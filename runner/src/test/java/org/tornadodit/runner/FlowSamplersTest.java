package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.runner.terminal.ExitCode;

/** SiT's samplers stop, go on, show previews and are made again from their pictures, dopri5 with its own steps too. */
class FlowSamplersTest {
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
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--sampler dopri5 --rtol 1e-2",
                "--sampler heun-sde --num-sampling-steps 5 --last-step tweedie --diffusion-form increasing-decreasing"
            })
    void goesOnAndIsMadeAgain(String words) throws IOException {
        Object[] options = words.split(" ");
        CommandLineRun whole = run("whole", options);
        assertEquals(ExitCode.DONE, whole.exitCode(), whole.err());

        HostRuntime.get().device(0).faults().failLaunch("d0_last.step", 8); // the first is the warm-up's
        CommandLineRun stopped = run("stopped", join(options, "--checkpoint-steps", 3, "--preview", 2));
        assertEquals(ExitCode.FAILURE, stopped.exitCode(), stopped.err());
        Path state = folder.resolve("stopped.state.safetensors");
        assertTrue(Files.exists(folder.resolve("stopped.preview.png")), stopped.err());
        HostRuntime.get().renewDevices();

        CommandLineRun other = run("stopped", join(options, "--resume", state, "--seed", 4));
        assertEquals(ExitCode.USAGE, other.exitCode(), other.err());
        CommandLineRun resumed = run("stopped", join(options, "--resume", state));
        assertEquals(ExitCode.DONE, resumed.exitCode(), resumed.err());
        assertTrue(resumed.err().matches("(?s).*goes on after step [36]\\R.*"), resumed.err());
        Path picture = folder.resolve("whole.png");
        assertArrayEquals(Files.readAllBytes(picture), Files.readAllBytes(folder.resolve("stopped.png")));

        CommandLineRun again = run("again", "--like", picture);
        assertEquals(ExitCode.DONE, again.exitCode(), again.err());
        assertArrayEquals(Files.readAllBytes(picture), Files.readAllBytes(folder.resolve("again.png")));
        PictureFacts facts = PictureFacts.read(picture).orElseThrow();
        if (words.contains("dopri5")) {
            assertEquals("0.01", facts.facts().get("rtol"));
            assertFalse(facts.facts().containsKey("num-sampling-steps"), facts.toString());
            assertTrue(
                    facts.description().contains("Dormand-Prince (atol 1.0E-6, rtol 0.01) steps"), facts.description());
        } else {
            assertEquals("tweedie", facts.facts().get("last-step"));
            assertEquals("increasing-decreasing", facts.facts().get("diffusion-form"));
        }
    }

    @Test
    void aStateOfOtherTolerancesIsRefused() {
        HostRuntime.get().device(0).faults().failLaunch("d0_last.step", 8);
        run("stopped", "--sampler", "dopri5", "--checkpoint-steps", 3);
        Path state = folder.resolve("stopped.state.safetensors");
        HostRuntime.get().renewDevices();
        CommandLineRun run = run("stopped", "--sampler", "dopri5", "--rtol", "1e-4", "--resume", state);
        assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
        assertTrue(run.err().contains("the state was made with --rtol 0.001, the command has 1.0E-4"), run.err());
    }

    /** What a sampler takes that decides on the way, nobody knows before. */
    @Test
    void aDryRunPromisesNoNumberOfSteps() {
        CommandLineRun run = run("dry", "--sampler", "dopri5", "--dry-run");
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertTrue(run.out().contains("steps    Dormand-Prince (atol 1.0E-6, rtol 0.001), guidance 4 on"), run.out());
        assertTrue(run.out().contains(" TFLOP a step, as many as a sample needs, 1 batch"), run.out());
        assertTrue(run.out().contains("time     as many steps as a sample needs of "), run.out());
        assertFalse(run.out().contains("100000"), run.out());
    }

    private static Object[] join(Object[] options, Object... more) {
        List<Object> all = new ArrayList<>(List.of(options));
        all.addAll(List.of(more));
        return all.toArray();
    }

    private CommandLineRun run(String name, Object... options) {
        List<Object> words = model.sample("--devices", "cpu:1", "--output", folder.resolve(name + ".png"), "--quiet");
        if (!List.of(options).contains("--like")) {
            words.addAll(List.of("--objective", "sit", "--class-labels", "0,3"));
        }
        words.addAll(List.of(options));
        return CommandLineRun.of(words.toArray());
    }
}
