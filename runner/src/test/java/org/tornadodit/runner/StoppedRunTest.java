package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.runner.terminal.ExitCode;

/** Processes that are stopped by Ctrl-C, by a signal, and by kill -9; and runs that go on where one was stopped. */
@DisabledOnOs(OS.WINDOWS)
class StoppedRunTest {
    private static final Path DATA = CommandLineRun.ROOT.resolve("reference/data");

    /** Of a machine with much other work. A run that goes on to its end within this time has another exit code. */
    private static final long MOST_SECONDS_TO_STOP = 20;

    /** A class that is loaded when a device's thread begins. */
    private static final String DEVICE_AT_WORK = "org.tornadodit.scheduler.run.DeviceWorker ";

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void endProcesses() {
        started.forEach(Process::destroyForcibly);
    }

    /** PyTorch's tiny model in a thousand steps: long enough to be stopped, short enough to be run again. */
    private static List<Object> thousandSteps(Path output, Object... options) {
        List<Object> arguments = new ArrayList<>(List.of(
                "sample",
                "--model",
                DATA.resolve("sampling/config.json"),
                "--ckpt",
                DATA.resolve("sampling/checkpoint.pt"),
                "--vae",
                DATA.resolve("vae-tiny"),
                "--device",
                "cpu",
                "--num-sampling-steps",
                "1000",
                "--class-labels",
                "3,1",
                "--output",
                output));
        arguments.addAll(Arrays.asList(options));
        return arguments;
    }

    @Test
    void goesOnToTheSamePictureAfterAKill() throws Exception {
        Path killed = folder.resolve("killed.png");
        Path state = folder.resolve("killed.state.safetensors");
        Process process = start(thousandSteps(killed, "--checkpoint-steps", 50));
        waitFor(() -> Files.exists(state), process);
        process.destroyForcibly(); // SIGKILL
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertFalse(Files.exists(killed), "the run ended before it was killed");

        Path whole = folder.resolve("whole.png");
        assertEquals(ExitCode.DONE, run(thousandSteps(whole)).exitCode());
        CommandLineRun resumed = run(thousandSteps(killed, "--resume", state));
        assertEquals(ExitCode.DONE, resumed.exitCode(), resumed.err());
        assertTrue(resumed.err().contains("goes on after step "), resumed.err());
        assertFalse(resumed.out().contains("Average sampling time"), "it was no whole run");
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(killed));
    }

    @Test
    void controlCWhileSamplingNamesTheState() throws Exception {
        Path output = folder.resolve("picture.png");
        Path state = folder.resolve("picture.state.safetensors");
        Process process = start(thousandSteps(output, "--checkpoint-steps", 50));
        waitFor(() -> Files.exists(state), process);
        assertStops(process, "INT", 130);
        assertTrue(
                err().contains("dit: interrupted; the same command with --resume " + state + " goes on after step "),
                err());
        assertEquals(List.of("err", "out", "picture.state.safetensors"), names());
    }

    @Test
    void sigtermWhileDecodingLeavesNothing() throws Exception {
        String labels = String.join(",", "0123450123450123450123450123450123450123450123450123450123".split(""));
        Process process = start(List.of(
                "sample",
                "--model",
                DATA.resolve("sampling/config.json"),
                "--ckpt",
                DATA.resolve("sampling/checkpoint.pt"),
                "--vae",
                CommandLineRun.ROOT.resolve("demo/vae"),
                "--device",
                "cpu",
                "--num-sampling-steps",
                "1",
                "--class-labels",
                labels,
                "--output",
                folder.resolve("picture.png")));
        waitFor(() -> err().contains("sampling: 100%"), process);
        assertStops(process, "TERM", 143);
        assertTrue(err().endsWith("dit: interrupted" + System.lineSeparator()), err());
        assertEquals(List.of("err", "out"), names());
    }

    /** The CPU engine computes with the file's pages: one that is gone is SIGBUS in the middle of a product. */
    @Test
    void weightsThatAreTruncatedWhileSamplingEndInALine() throws Exception {
        Path weights = Files.copy(DATA.resolve("sampling/checkpoint.pt"), folder.resolve("weights.pt"));
        Path output = folder.resolve("picture.png");
        Path state = folder.resolve("picture.state.safetensors");
        List<Object> arguments = thousandSteps(output, "--checkpoint-steps", 50, "--quiet");
        arguments.set(arguments.indexOf("--ckpt") + 1, weights);
        Process process = start(arguments);
        waitFor(() -> Files.exists(state), process);
        try (FileChannel file = FileChannel.open(weights, StandardOpenOption.WRITE)) {
            file.truncate(10_000); // of 742 KB
        }
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it goes on");
        assertEquals(ExitCode.CHECKPOINT, process.exitValue(), err());
        List<String> lines =
                err().lines().filter(line -> line.startsWith("dit: ")).toList();
        assertEquals(1, lines.size(), err());
        assertTrue(lines.getFirst().startsWith("dit: " + weights + ": the file changed while it was read"), err());
        assertFalse(err().contains("\tat "), err());
        assertEquals(List.of("err", "out", "picture.state.safetensors", "weights.pt"), names());
    }

    @Test
    void controlCWhileDevicesAreLoaded() throws Exception {
        Path classes = folder.resolve("classes");
        Process process = start(
                List.of("-Xlog:class+load:file=" + classes),
                List.of("sample", "--model", "demo", "--devices", "cpu:2", "--output", folder.resolve("picture.png")));
        // The emulation loads the demo model for a minute from here on.
        waitFor(() -> read(classes).contains(DEVICE_AT_WORK), process);
        assertStops(process, "INT", 130);
        assertTrue(err().endsWith("dit: interrupted" + System.lineSeparator()), err());
        assertEquals(List.of("classes", "err", "out"), names());
    }

    private static CommandLineRun run(List<Object> arguments) {
        return CommandLineRun.of(arguments.toArray());
    }

    private void assertStops(Process process, String signal, int exitCode) throws Exception {
        new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid()))
                .start()
                .waitFor();
        assertTrue(process.waitFor(MOST_SECONDS_TO_STOP, TimeUnit.SECONDS), "it goes on");
        assertEquals(exitCode, process.exitValue(), err());
    }

    private void waitFor(BooleanSupplier what, Process process) throws InterruptedException {
        long end = System.nanoTime() + 120_000_000_000L;
        while (!what.getAsBoolean()) {
            assertTrue(process.isAlive() && System.nanoTime() < end, "it ended too early, or hangs: " + err());
            Thread.sleep(5);
        }
    }

    private Process start(List<?> arguments) throws IOException {
        return start(List.of(), arguments);
    }

    private Process start(List<String> jvmOptions, List<?> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        if (canRestoreSignals()) {
            // Of a process in the background of a shell's script, Ctrl-C is ignored, and of its children too.
            command.addAll(List.of("env", "--default-signal=INT"));
        }
        command.addAll(CommandLineRun.command(jvmOptions, arguments));
        Process process = new ProcessBuilder(command)
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        started.add(process);
        return process;
    }

    private static boolean canRestoreSignals() {
        try {
            return new ProcessBuilder("env", "--default-signal=INT", "true")
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException absent) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private String err() {
        return read(folder.resolve("err"));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
