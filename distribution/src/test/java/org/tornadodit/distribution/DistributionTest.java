package org.tornadodit.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What mvn package leaves in target/ runs where it is unpacked: no Maven, no checkout. */
class DistributionTest {
    private static final Path ROOT = Path.of(System.getProperty("dit.root", ".."));

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path unpacked;

    @BeforeEach
    void unpack() throws IOException {
        unpack(zip());
        try (Stream<Path> tops = Files.list(folder)) {
            List<Path> all = tops.toList();
            assertEquals(1, all.size(), all::toString);
            unpacked = all.getFirst();
        }
        assertTrue(unpacked.resolve("bin/dit").toFile().setExecutable(true));
    }

    private static Path zip() throws IOException {
        try (Stream<Path> made = Files.list(ROOT.resolve("distribution/target"))) {
            List<Path> zips =
                    made.filter(file -> file.toString().endsWith(".zip")).toList();
            assertEquals(1, zips.size(), zips::toString);
            return zips.getFirst();
        }
    }

    private void unpack(Path file) throws IOException {
        try (ZipFile zip = new ZipFile(file.toFile())) {
            for (Enumeration<? extends ZipEntry> entries = zip.entries(); entries.hasMoreElements(); ) {
                ZipEntry entry = entries.nextElement();
                Path target = folder.resolve(entry.getName()).normalize();
                assertTrue(target.startsWith(folder), entry::getName);
                if (entry.isDirectory()) {
                    Files.createDirectories(target);
                } else {
                    Files.createDirectories(target.resolveSibling("."));
                    try (InputStream in = zip.getInputStream(entry);
                            OutputStream out = Files.newOutputStream(target)) {
                        in.transferTo(out);
                    }
                }
            }
        }
    }

    private String run(String... words) throws IOException, InterruptedException {
        return runScript("dit", words);
    }

    private String runScript(String script, String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of("sh", unpacked.resolve("bin").resolve(script).toString()));
        command.addAll(List.of(words));
        return start("/usr/bin:/bin", command.toArray(String[]::new));
    }

    private String start(String path, String... command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(Files.createDirectories(folder.resolve("elsewhere")).toFile())
                .redirectErrorStream(true);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
        builder.environment().put("PATH", path);
        builder.environment().remove("TORNADOVM_HOME");
        builder.environment().remove("DIT");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(120, TimeUnit.SECONDS), output);
        assertEquals(0, process.exitValue(), output);
        return output;
    }

    @Test
    void runsWhereItIsUnpacked() throws Exception {
        assertTrue(run("--version").startsWith("tornado-dit 0."));
        run("demo", "--num-sampling-steps", "2", "--class-labels", "fox", "--device", "cpu");
        assertTrue(Files.size(folder.resolve("elsewhere/sample.png")) > 1000);
        for (String file : List.of("LICENSE", "NOTICE", "README.md", "lib/jvm-flags", "demo/LICENSE-images.txt")) {
            assertTrue(Files.isRegularFile(unpacked.resolve(file)), file);
        }
    }

    /** From the folder that it is unpacked to, by a Slurm that says what it was given. */
    @Test
    void submitsItselfToSlurm() throws Exception {
        Path bin = Files.createDirectories(folder.resolve("slurm"));
        Path told = folder.resolve("told");
        Path sbatch = Files.writeString(bin.resolve("sbatch"), """
            #!/bin/sh
            echo "$DIT $*" >> '%s'
            wc -l < '%s'
            """.formatted(told, told));
        assertTrue(sbatch.toFile().setExecutable(true));
        String said = start(
                bin + ":/usr/bin:/bin",
                "bash",
                "../" + unpacked.getFileName() + "/cluster/slurm/submit.sh",
                "3",
                "fid",
                "--model",
                "demo");
        assertTrue(said.contains("array 1, collector 2"), said);
        List<String> jobs = Files.readAllLines(told);
        assertEquals(2, jobs.size(), jobs::toString);
        Path dit = unpacked.resolve("bin/dit").toRealPath();
        for (String job : jobs) {
            assertEquals(dit, Path.of(job.split(" ")[0]).toRealPath(), job);
        }
        assertTrue(jobs.getFirst().endsWith("/cluster/slurm/bulk.sbatch fid --model demo"), jobs::toString);

        // By hand, without submit.sh: what a task and the collector run is found from where they were submitted.
        Path results = folder.resolve("results/few");
        String task = start(
                "/usr/bin:/bin",
                "env",
                "SLURM_JOB_ID=7",
                "SLURM_SUBMIT_DIR=" + unpacked,
                "bash",
                unpacked.resolve("cluster/slurm/bulk.sbatch").toString(),
                results.toString(),
                "--model",
                "demo",
                "--num-samples",
                "2",
                "--num-sampling-steps",
                "1",
                "--device",
                "cpu");
        assertTrue(task.contains("2 pictures, 2 of them made now"), task);
        start(
                "/usr/bin:/bin",
                "env",
                "SLURM_SUBMIT_DIR=" + unpacked,
                "bash",
                unpacked.resolve("cluster/slurm/collect.sbatch").toString(),
                results.toString());
        assertTrue(Files.isRegularFile(folder.resolve("results/few.npz")));
        assertTrue(Files.isRegularFile(unpacked.resolve("cluster/kubernetes/bulk.yaml")));
    }

    /** What is called by its name may be executed; an unpacked zip has the rights that are noted in it. */
    @Test
    void notesWhatMayBeExecuted() throws IOException {
        try (FileSystem zip = FileSystems.newFileSystem(zip(), Map.of("enablePosixFileAttributes", "true"))) {
            Path top = zip.getPath(unpacked.getFileName().toString());
            for (String script : List.of("bin/dit", "bin/setup-tornado.sh", "cluster/slurm/submit.sh")) {
                assertTrue(
                        Files.getPosixFilePermissions(top.resolve(script)).contains(PosixFilePermission.OTHERS_EXECUTE),
                        script);
            }
        }
    }

    /** Its README leads to what is there; beyond the documents and the recipes, to the repository alone. */
    @Test
    void hasTheDocumentsThatItsReadmeLinksTo() throws IOException {
        List<String> links = Pattern.compile("\\]\\(((?:docs/|cluster)[^)#]*)")
                .matcher(Files.readString(unpacked.resolve("README.md")))
                .results()
                .map(link -> link.group(1))
                .distinct()
                .toList();
        assertTrue(links.size() > 10, links::toString);
        assertEquals(
                List.of(),
                links.stream()
                        .filter(link -> !Files.exists(unpacked.resolve(link)))
                        .toList());
    }

    @Test
    void looksForTornadoVM() throws Exception {
        String said = runScript("setup-tornado.sh", "--no-download", "--prefix", folder.toString());
        assertTrue(said.contains("JDK 25"), said);
        assertTrue(runScript("setup-tornado.sh", "--help")
                .contains(unpacked.resolve("tornado").toString()));
    }
}
