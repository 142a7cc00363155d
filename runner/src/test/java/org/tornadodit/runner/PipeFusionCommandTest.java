package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.runner.terminal.ExitCode;

/** A picture of patches through the command line: its file says so, and its state is no other run's. */
class PipeFusionCommandTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private TinyModelFiles model;

    @BeforeEach
    void writeModel() throws IOException {
        model = TinyModelFiles.writeOfTwoBlocks(folder);
        HostRuntime.get().setDeviceCount(2);
    }

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    private CommandLineRun run(Path output, Object... options) {
        List<Object> arguments = new ArrayList<>(model.sample(
                "--class-labels", "3", "--num-sampling-steps", "3", "--devices", "cpu:2", "--output", output));
        arguments.addAll(List.of(options));
        return CommandLineRun.of(arguments.toArray());
    }

    @Test
    void theFileSaysSoAndTheStateIsNoOtherRuns() {
        Path picture = folder.resolve("sample.png");
        HostRuntime.get().device(1).faults().failLaunch("d1_predict.predictions", 8); // each of two steps has two
        CommandLineRun stopped = run(picture, "--pipefusion-parallel-degree", 2, "--checkpoint-steps", 1);
        assertEquals(ExitCode.FAILURE, stopped.exitCode(), stopped.err());
        Path state = folder.resolve("sample.state.safetensors");
        assertTrue(Files.exists(state), stopped.err());
        HostRuntime.get().renewDevices();

        CommandLineRun other = run(picture, "--pipeline-parallel-degree", 2, "--resume", state);
        assertEquals(ExitCode.USAGE, other.exitCode(), other.err());
        assertTrue(
                other.err().contains("the state was made with --num-pipeline-patch 2, the command has 1"), other.err());
        CommandLineRun resumed = run(picture, "--pipefusion-parallel-degree", 2, "--resume", state);
        assertEquals(ExitCode.DONE, resumed.exitCode(), resumed.err());
        CommandLineRun shown = CommandLineRun.of("show", picture);
        assertTrue(
                shown.out()
                        .lines()
                        .anyMatch(line ->
                                line.matches("approximate +PipeFusion, --num-pipeline-patch 2 --warmup-steps 1")),
                shown.out());
    }

    @Test
    void picturesThatStandAloneAreMadeOfNoPatches() {
        CommandLineRun bulk = CommandLineRun.of(model.command(
                        List.of("bulk"),
                        "--num-samples",
                        2,
                        "--output",
                        folder.resolve("pictures"),
                        "--devices",
                        "cpu:2",
                        "--pipefusion-parallel-degree",
                        2)
                .toArray());
        assertTrue(bulk.err().contains("--pipefusion-parallel-degree on bulk: there a picture does not"), bulk.err());
        CommandLineRun serve = CommandLineRun.of(
                model.command(List.of("serve"), "--port", 0, "--devices", "cpu:2", "--pipefusion-parallel-degree", 2)
                        .toArray());
        assertEquals(ExitCode.USAGE, serve.exitCode(), serve.err());
        assertTrue(serve.err().contains("--pipefusion-parallel-degree has no effect on serve"), serve.err());
    }
}
