package org.tornadodit.runner.bulk;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A real Slurm on this machine: munged, slurmctld and two slurmd in the foreground, with all that they write in one folder. */
final class SlurmCluster implements AutoCloseable {
    private static final List<String> PROGRAMS = List.of(
            "/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/bin/sbatch", "/usr/bin/scontrol");
    private static final long PATIENCE_SECONDS = 240;

    private final Path folder;
    private final Path configuration;
    private final List<Process> daemons = new ArrayList<>();

    /** Why there can be none on this machine; empty where it can. */
    static String problem() {
        for (String program : PROGRAMS) {
            if (!Files.isExecutable(Path.of(program))) {
                return "Slurm is not installed: no " + program + " (Debian's slurm-wlm and munge)";
            }
        }
        return System.getProperty("user.name").equals("root") ? "" : "Slurm's daemons need root here";
    }

    /** What a command gave back. */
    record Result(int exitCode, String output) {}

    SlurmCluster(Path folder) throws Exception {
        this.folder = Files.createDirectories(folder);
        this.configuration = folder.resolve("slurm.conf");
        try {
            start();
        } catch (Exception | Error e) {
            close();
            throw e;
        }
    }

    private void start() throws Exception {
        Path key = folder.resolve("munge.key");
        byte[] secret = new byte[1024];
        new Random().nextBytes(secret);
        Files.write(key, secret);
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        Path socket = folder.resolve("munge.socket");
        daemon(
                "munged",
                "/usr/sbin/munged",
                "--foreground",
                "--force",
                "--key-file=" + key,
                "--socket=" + socket,
                "--pid-file=" + folder.resolve("munged.pid"),
                "--seed-file=" + folder.resolve("munged.seed"),
                "--log-file=" + folder.resolve("munged.log"));
        await("munged's socket", () -> Files.exists(socket));
        List<Integer> ports = freePorts(3);
        String host = InetAddress.getLocalHost().getHostName().replaceFirst("\\..*", "");
        Files.createDirectories(folder.resolve("state"));
        Files.writeString(configuration, """
            ClusterName=dit
            SlurmctldHost=%1$s(127.0.0.1)
            SlurmctldPort=%2$d
            SlurmUser=root
            AuthType=auth/munge
            AuthInfo=socket=%5$s
            CredType=cred/munge
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            SelectType=select/cons_tres
            SelectTypeParameters=CR_CPU_Memory
            SchedulerParameters=batch_sched_delay=0,sched_interval=2
            ReturnToService=2
            MailProg=/bin/true
            KillWait=5
            StateSaveLocation=%6$s/state
            SlurmdSpoolDir=%6$s/spool-%%n
            SlurmctldPidFile=%6$s/slurmctld.pid
            SlurmdPidFile=%6$s/slurmd-%%n.pid
            SlurmctldLogFile=%6$s/slurmctld.log
            SlurmdLogFile=%6$s/slurmd-%%n.log
            NodeName=n1 NodeHostname=%1$s NodeAddr=127.0.0.1 Port=%3$d CPUs=2 RealMemory=1000 State=UNKNOWN
            NodeName=n2 NodeHostname=%1$s NodeAddr=127.0.0.1 Port=%4$d CPUs=2 RealMemory=1000 State=UNKNOWN
            PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
            """.formatted(host, ports.get(0), ports.get(1), ports.get(2), socket, folder));
        daemon("slurmctld", "/usr/sbin/slurmctld", "-D", "-f", configuration.toString());
        for (String node : List.of("n1", "n2")) {
            daemon("slurmd-" + node, "/usr/sbin/slurmd", "-D", "-N", node, "-f", configuration.toString());
        }
        await(
                "both nodes",
                () -> run("sinfo", "-h", "-o", "%T %D").output().strip().equals("idle 2"));
    }

    private static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        List<Integer> ports = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ServerSocket socket = new ServerSocket(0);
            sockets.add(socket);
            ports.add(socket.getLocalPort());
        }
        for (ServerSocket socket : sockets) {
            socket.close();
        }
        return ports;
    }

    private void daemon(String name, String... command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".out").toFile());
        builder.environment().put("SLURM_CONF", configuration.toString());
        daemons.add(builder.start());
    }

    /** Waits for a state, and says what was waited for where it does not come. */
    void await(String what, BooleanSupplier reached) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!reached.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError(
                        "no " + what + ": " + run("scontrol", "show", "job").output() + tail("slurmctld.log"));
            }
            Thread.sleep(300);
        }
    }

    private String tail(String log) throws IOException {
        Path file = folder.resolve(log);
        if (!Files.exists(file)) {
            return "";
        }
        List<String> lines = Files.readAllLines(file);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }

    Result run(String... command) {
        return run(folder, Map.of(), command);
    }

    /** Runs a command that knows the cluster. */
    Result run(Path directory, Map<String, String> environment, String... command) {
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
            builder.environment().put("SLURM_CONF", configuration.toString());
            builder.environment().putAll(environment);
            Process process = builder.start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Result(process.waitFor(), output);
        } catch (IOException e) {
            throw new IllegalStateException(Arrays.toString(command), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** A field of a job or of an array's task, such as JobState. */
    String field(String job, String name) {
        Matcher value = Pattern.compile("\\b" + name + "=(\\S*)")
                .matcher(run("scontrol", "show", "job", job).output());
        return value.find() ? value.group(1) : "";
    }

    @Override
    public void close() {
        for (int i = daemons.size() - 1; i >= 0; i--) {
            Process daemon = daemons.get(i);
            daemon.descendants().forEach(ProcessHandle::destroyForcibly);
            daemon.destroy();
            try {
                if (!daemon.waitFor(10, TimeUnit.SECONDS)) {
                    daemon.destroyForcibly().waitFor();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
