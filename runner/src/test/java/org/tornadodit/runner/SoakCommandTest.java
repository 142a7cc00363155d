package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.runner.measure.SoakRecord;
import org.tornadodit.runner.terminal.ExitCode;

/** {@code bench soak}: a few runs on two virtual devices, and what it makes of runs that leave something behind. */
class SoakCommandTest {
    private static final SoakRecord.Bounds BOUNDS = new SoakRecord.Bounds(1000, 2_000_000);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private TinyModelFiles model;

    @BeforeEach
    void writeModel() throws IOException {
        HostRuntime.get().renewDevices(); // other tests' failed devices keep what they held
        model = TinyModelFiles.write(folder);
    }

    @AfterEach
    void oneDeviceWithoutFaults() {
        HostRuntime.get().renewDevices();
        HostRuntime.get().setDeviceCount(1);
    }

    private CommandLineRun soak(Object... options) {
        List<Object> all = new ArrayList<>(List.of(options));
        all.addAll(List.of("--devices", "cpu:2", "--class-labels", "3,1", "--num-sampling-steps", "2"));
        all.addAll(List.of("--most-host-growth", "4096")); // the process is that of all tests, whose heap may grow
        return CommandLineRun.of(
                model.command(List.of("bench", "soak"), all.toArray()).toArray());
    }

    @Test
    void enginesLeaveNothingBehind() {
        CommandLineRun run = soak("--runs", 3);
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertTrue(run.out().contains("| 1 | 0.0 | "), run.out());
        assertTrue(run.out().contains("| 3 | 0.0 | "), run.out());
        assertTrue(run.out().contains("growth a run, from run 1 to run 3: devices 0.000 MB, process "), run.out());
        assertTrue(run.out().contains("all runs gave the bits of the first, and left nothing behind"), run.out());
    }

    @Test
    void oneEngineServesAllBatches() {
        CommandLineRun run = soak("--runs", 3, "--mode", "batches");
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertTrue(run.out().contains("devices 0.000 MB"), run.out());
    }

    @Test
    void aRunThatFailsEndsInOneLine() {
        HostRuntime.get().setDeviceCount(2);
        HostRuntime.get().device(1).faults().failLaunch("d1_last.step", 5);
        CommandLineRun run = soak("--runs", 3, "--fail-fast");
        assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
        assertEquals(
                1,
                run.err()
                        .lines()
                        .filter(line -> line.startsWith("dit: device 1: host"))
                        .count(),
                run.err());
        assertEquals(ExitCode.USAGE, soak("--runs", 0).exitCode());
    }

    @Test
    void growthOtherBitsAndSlowRunsAreTold() {
        List<SoakRecord.Run> runs = new ArrayList<>();
        for (int i = 1; i <= 30; i++) {
            // Until run 10 anything may grow.
            runs.add(run(0.1, true, i < 10 ? 100 * i : 1000, i < 10 ? i : 10));
        }
        assertEquals(List.of(), new SoakRecord(runs).problems(BOUNDS));
        runs.set(29, run(0.1, true, 2001, 12));
        assertEquals(
                List.of("the devices' memory grew by 1 KB from run 10 to run 30; at most 1 KB was wanted"),
                new SoakRecord(runs).problems(BOUNDS));
        runs.set(29, run(2, false, 1000, 13));
        assertEquals(
                List.of(
                        "run 30 gave other bits than the first; the same were wanted",
                        "the process grew by 3 MB from run 10 to run 30; at most 2 MB was wanted",
                        "run 30 took 2.000 s, the median is 0.100 s; at most 10 times that was wanted"),
                new SoakRecord(runs).problems(BOUNDS));
        assertTrue(new SoakRecord(runs)
                .lines()
                .contains("median 0.100 s a run, slowest after the first 2.000 s (run 30)"));
    }

    @Test
    void theFirstRunMayTakeItsTime() {
        List<SoakRecord.Run> runs = List.of(run(30, true, 0, 0), run(0.1, true, 0, 0), run(0.1, true, 0, 0));
        assertEquals(List.of(), new SoakRecord(runs).problems(BOUNDS));
    }

    private static SoakRecord.Run run(double seconds, boolean same, long device, long megabytes) {
        return new SoakRecord.Run(
                seconds, same, OptionalLong.of(device), OptionalLong.of(megabytes * 1_000_000), 5_000_000);
    }
}
