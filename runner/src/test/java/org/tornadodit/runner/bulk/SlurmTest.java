package org.tornadodit.runner.bulk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.runner.CommandLineRun;
import org.tornadodit.runner.Runner;
import org.tornadodit.runner.terminal.ExitCode;

/** The recipes in cluster/slurm, as they are, on a real Slurm with two nodes; skipped where none is installed. */
class SlurmTest {
    private static final Path RECIPES =
            CommandLineRun.ROOT.resolve("cluster/slurm").toAbsolutePath().normalize();
    private static final Pattern SUBMITTED = Pattern.compile("array (\\d+), collector (\\d+)");

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set by the test
    private SlurmCluster slurm;

    @SuppressWarnings("NullAway.Init") // set by the test
    private Path dit;

    private record Submitted(String array, String collector) {
        String task(int index) {
            return array + "_" + index;
        }
    }

    @Test
    void killedAndRefusedShardsEndInTheFileOfAnUnshardedRun() throws Exception {
        String problem = SlurmCluster.problem();
        assumeTrue(problem.isEmpty(), problem);
        TinyModelFiles model = TinyModelFiles.write(Files.createDirectory(folder.resolve("model")));
        List<Object> options = model.command(
                List.of(),
                "--num-sampling-steps",
                BulkRuns.STEPS_TO_BE_KILLED_IN,
                "--num-samples",
                "9",
                "--device",
                "cpu",
                "--quiet");
        List<Object> whole = new ArrayList<>(List.of("bulk", "--output", folder.resolve("whole")));
        whole.addAll(options);
        assertEquals(ExitCode.DONE, CommandLineRun.of(whole.toArray()).exitCode());
        assertEquals(ExitCode.DONE, BulkRuns.collect(folder.resolve("whole")).exitCode());

        Path shared = folder.resolve("shared");
        dit = standIn(shared);
        try (SlurmCluster cluster = new SlurmCluster(folder.resolve("slurm"))) {
            slurm = cluster;
            Submitted first = submit(shared, options, Map.of("KILLED", "1", "REFUSED", "2"));
            slurm.await(
                    "requeued task",
                    () -> slurm.field(first.task(1), "Restarts").equals("1"));
            slurm.await(
                    "end of the killed script",
                    () -> slurm.field(first.task(1), "JobState").equals("PENDING"));
            // Slurm would let it wait for two minutes, so that no node takes it for the one that was revoked.
            slurm.run("scontrol", "update", "JobId=" + first.task(1), "StartTime=now+5");
            for (int task = 0; task < 3; task++) {
                int each = task;
                slurm.await(
                        "end of task " + task,
                        () -> Set.of("COMPLETED", "FAILED").contains(slurm.field(first.task(each), "JobState")));
            }
            assertEquals("COMPLETED", slurm.field(first.task(0), "JobState"));
            assertEquals("COMPLETED", slurm.field(first.task(1), "JobState"));
            assertEquals("FAILED", slurm.field(first.task(2), "JobState"));
            assertEquals("42:0", slurm.field(first.task(2), "ExitCode"));
            assertEquals("0", slurm.field(first.task(2), "Restarts"));
            slurm.await(
                    "cancelled collector",
                    () -> slurm.field(first.collector(), "JobState").equals("CANCELLED"));
            assertFalse(Files.exists(folder.resolve("shared.npz")));
            assertEquals(6, BulkRuns.pictures(shared).size());
            assertTrue(log(first.task(1)).contains("exit code 137; it is started again"), log(first.task(1)));
            assertTrue(log(first.task(2)).contains("no retry mends this"), log(first.task(2)));

            Submitted second = submit(shared, options, Map.of());
            slurm.await(
                    "collected file",
                    () -> Set.of("COMPLETED", "FAILED", "CANCELLED")
                            .contains(slurm.field(second.collector(), "JobState")));
            assertEquals("COMPLETED", slurm.field(second.collector(), "JobState"), log(second.task(2)));
        }
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("whole.npz")), Files.readAllBytes(folder.resolve("shared.npz")));
    }

    private String log(String task) throws IOException {
        return Files.readString(folder.resolve("dit-bulk-" + task + ".log"));
    }

    private Submitted submit(Path shared, List<Object> options, Map<String, String> environment) {
        List<String> command =
                new ArrayList<>(List.of(RECIPES.resolve("submit.sh").toString(), "3", shared.toString()));
        options.forEach(option -> command.add(option.toString()));
        Map<String, String> all = new HashMap<>(environment);
        all.put("DIT", dit.toString());
        all.put("DIT_SBATCH", "--mem=400 --cpus-per-task=1");
        all.put("DIT_SBATCH_COLLECT", "--mem=400 --cpus-per-task=1");
        SlurmCluster.Result result = slurm.run(folder, all, command.toArray(String[]::new));
        Matcher jobs = SUBMITTED.matcher(result.output());
        assertTrue(result.exitCode() == 0 && jobs.find(), result.output());
        return new Submitted(jobs.group(1), jobs.group(2));
    }

    /**
     * A program in the place of {@code dit}: this build, whose worker of the array's task KILLED is killed once when its first
     * picture is there, and that of REFUSED gets an option that there is not.
     */
    private Path standIn(Path shared) throws IOException {
        Path script = Files.writeString(folder.resolve("dit"), """
            #!/bin/bash
            java=(%s --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -Xmx300m -Ddit.home=%s
                  -cp '%s' %s)
            if [ "${SLURM_ARRAY_TASK_ID:-}" = "${REFUSED:-none}" ]; then
                exec "${java[@]}" "$@" --no-such-option
            fi
            if [ "${SLURM_ARRAY_TASK_ID:-}" = "${KILLED:-none}" ] && mkdir %s/killed; then
                "${java[@]}" "$@" --per-proc-batch-size 1 &
                until [ -e %s/000001.png ]; do sleep 0.02; done
                kill -9 $!
                wait $!
                exit
            fi
            exec "${java[@]}" "$@"
            """.formatted(
                        Path.of(System.getProperty("java.home"), "bin", "java"),
                        CommandLineRun.ROOT.toAbsolutePath(),
                        System.getProperty("java.class.path"),
                        Runner.class.getName(),
                        folder,
                        shared));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return script;
    }
}
