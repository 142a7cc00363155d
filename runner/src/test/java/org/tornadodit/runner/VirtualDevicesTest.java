package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.host.HostDevice;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.runner.terminal.ExitCode;

/** {@code --devices cpu:N} through the command line: the same files for any N, and what a user sees of a failure. */
class VirtualDevicesTest {

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private TinyModelFiles model;

    @BeforeEach
    void writeModel() throws IOException {
        model = TinyModelFiles.write(folder);
        HostRuntime.get().setDeviceCount(2); // the orders of failures stay with a device
    }

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices(); // a failed device keeps what it held
        HostRuntime.get().setDeviceCount(1);
    }

    @Test
    void filesAreTheSameOnAnyNumberOfDevicesAndWithoutOneThatFails() throws IOException {
        byte[][] expected = files("one", "cpu:1");
        assertSame(expected, files("three", "cpu:3"));
        assertSame(expected, files("weights", "cpu:2", "--device-weights", "1,3"));

        HostRuntime.get().device(1).faults().failLaunch("d1_last.step", 3);
        CommandLineRun run = run("fault", "cpu:2");
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertSame(expected, read("fault"));
        List<String> reports =
                run.err().lines().filter(line -> line.startsWith("dit: ")).toList();
        assertEquals(1, reports.size(), run.err());
        assertTrue(
                reports.getFirst()
                        .matches("dit: device 1: host .* failed while sampling, after step 0: .*launch of"
                                + " d1_last\\.step.*; its samples go to the 1 left"),
                reports.getFirst());
        assertTrue(run.err().contains("(failed)"), run.err());
    }

    /** In the CPU engine's words: no other device would do better. */
    @Test
    void whatFloatsDoNotHoldIsTheModelsAndNoFailureOfADevice() {
        for (String devices : List.of("cpu:1", "cpu:2")) {
            CommandLineRun run = run("huge", devices, "--cfg-scale", "1e30");
            assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
            List<String> lines =
                    run.err().lines().filter(line -> line.startsWith("dit: ")).toList();
            assertEquals(1, lines.size(), run.err());
            assertTrue(
                    lines.getFirst()
                            .matches("dit: the .* has a value that float32 does not hold \\(NaN or infinite\\), .*"
                                    + "--cfg-scale is moderate"),
                    run.err());
        }
    }

    /** In their order, whatever is written while the next is sampled, and with a device that fails in the second. */
    @Test
    void batchesAreTheSameOnAnyNumberOfDevices() throws IOException {
        List<byte[][]> expected = batches("b1", 3, "cpu:1");
        for (int devices = 2; devices <= 4; devices++) {
            assertBatches(expected, batches("b" + devices, devices == 3 ? 2 : 3, "cpu:" + devices));
        }
        HostRuntime.get().setDeviceCount(2);
        HostRuntime.get().device(1).faults().failLaunch("d1_last.step", 6);
        assertBatches(expected, batches("fault", 3, "cpu:2"));
    }

    private List<byte[][]> batches(String name, int count, String devices) throws IOException {
        CommandLineRun run = run(name, devices, "--batches", count);
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        List<byte[][]> files = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (int batch = 0; batch < count; batch++) {
            files.add(read(name + "_" + batch));
            names.add(folder.resolve(name + "_" + batch + ".png").toString());
        }
        assertEquals(names, run.out().lines().limit(count).toList());
        assertTrue(run.out().lines().toList().getLast().startsWith("Average sampling time: "), run.out());
        return files;
    }

    /** The first batches are the same, however many follow. */
    private static void assertBatches(List<byte[][]> expected, List<byte[][]> actual) {
        for (int batch = 0; batch < actual.size(); batch++) {
            assertSame(expected.get(batch), actual.get(batch));
        }
    }

    @Test
    void failFastAndTheLastDevicesFailureEndTheRun() {
        HostRuntime.get().device(1).faults().failLaunch("d1_last.step", 3);
        assertFailed(run("fast", "cpu:2", "--fail-fast"), "device 1: host");
        HostRuntime.get().device(0).faults().failLaunch("d0_last.step", 3);
        assertFailed(run("last", "cpu:1"), "device 0: host");
        HostRuntime.get().device(0).faults().failCompilation("d0_block.attn", 1);
        assertFailed(run("compile", "cpu:1"), "failed while loading: injected failure: compilation of d0_block.attn");
    }

    @Test
    void aDeviceWhoseMemoryOthersHoldIsLeftOutAndTheLastOneRefused() throws IOException {
        byte[][] expected = files("free", "cpu:2");
        occupy(1);
        CommandLineRun run = run("one", "cpu:2");
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertSame(expected, read("one"));
        assertFull(1, run);
        occupy(0);
        run = run("both", "cpu:1");
        assertEquals(ExitCode.NO_DEVICE, run.exitCode(), run.err());
        assertFull(0, run);
    }

    private static void occupy(int device) {
        HostDevice host = HostRuntime.get().device(device);
        host.occupy(host.getDeviceGlobalMemorySize());
    }

    private static void assertFull(int device, CommandLineRun run) {
        List<String> lines =
                run.err().lines().filter(line -> line.startsWith("dit: ")).toList();
        assertEquals(1, lines.size(), run.err());
        assertTrue(
                lines.getFirst()
                        .matches("dit: device " + device + " \\(host.*\\): .* needed .*, 0 bytes of .* free: .*"),
                run.err());
    }

    private void assertFailed(CommandLineRun run, String message) {
        assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
        List<String> lines =
                run.err().lines().filter(line -> line.startsWith("dit: ")).toList();
        assertTrue(lines.size() == 1 && lines.getFirst().contains(message), run.err());
        assertFalse(run.err().contains("\tat "), run.err());
        try (var files = Files.list(folder)) {
            assertEquals(
                    List.of("tiny.json", "tiny.safetensors", "vae"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theDryRunShowsWhoDoesWhatAndHowLong() {
        List<Object> arguments = model.sample(
                "--class-labels", "0,1,2,3,4,5", "--devices", "cpu:3", "--device-weights", "2,1,3", "--dry-run");
        CommandLineRun run = CommandLineRun.of(arguments.toArray());
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        List<String> devices =
                run.out().lines().filter(line -> line.startsWith("device")).toList();
        assertEquals(3, devices.size(), run.out());
        assertTrue(devices.get(0).contains("samples 0 to 1, about "), run.out());
        assertTrue(devices.get(1).contains("samples 2 to 2, about "), run.out());
        assertTrue(devices.get(2).contains("samples 3 to 5, about "), run.out());
        assertTrue(
                run.out()
                        .lines()
                        .anyMatch(line -> line.matches("time     about .* a batch: 250 steps of .*, decoding .*"
                                + " \\(default rates; without loading and compiling\\)")),
                run.out());
    }

    @Test
    void impossibleDevicesAreUsageErrors() {
        refused("expected cpu:N alone", "--devices", "cpu:0");
        refused("expected cpu:N alone", "--devices", "cpu:2,0");
        refused("expected cpu:N alone", "--devices", "cpu:many");
        refused("--devices has \"one\"", "--devices", "one");
        refused("is a list of 1, the devices are 2", "--devices", "cpu:2", "--device-weights", "1");
        refused("expected numbers greater than 0", "--devices", "cpu:2", "--device-weights", "1,0");
        refused("--device is cpu", "--devices", "cpu:2", "--device", "cpu");
    }

    private void refused(String message, Object... options) {
        CommandLineRun run = CommandLineRun.of(model.sample(options).toArray());
        assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
        assertTrue(run.err().startsWith("dit: ") && run.err().contains(message), run.err());
    }

    private byte[][] files(String name, String devices, Object... options) throws IOException {
        CommandLineRun run = run(name, devices, options);
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        return read(name);
    }

    private byte[][] read(String name) throws IOException {
        return new byte[][] {
            Files.readAllBytes(folder.resolve(name + ".png")), Files.readAllBytes(folder.resolve(name + ".npy"))
        };
    }

    private static void assertSame(byte[][] expected, byte[][] actual) {
        assertArrayEquals(expected[0], actual[0], "PNG");
        assertArrayEquals(expected[1], actual[1], "latents");
    }

    private CommandLineRun run(String name, String devices, Object... options) {
        List<Object> arguments = new ArrayList<>(model.sample(
                "--class-labels",
                "0,1,2",
                "--num-sampling-steps",
                "3",
                "--devices",
                devices,
                "--quiet",
                "--output",
                folder.resolve(name + ".png"),
                "--save-latents",
                folder.resolve(name + ".npy")));
        arguments.addAll(Arrays.asList(options));
        return CommandLineRun.of(arguments.toArray());
    }
}
