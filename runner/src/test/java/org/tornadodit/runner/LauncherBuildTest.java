package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** When, where and how {@code ./dit} builds. */
@DisabledOnOs(OS.WINDOWS)
class LauncherBuildTest {

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private LauncherFolder dit;

    @BeforeEach
    void copyTheScript() throws IOException {
        dit = new LauncherFolder(folder);
    }

    @AfterEach
    void nothingIsLeftBehind() throws IOException {
        run("chmod", "-R", "u+w", folder.toString());
        try (Stream<Path> files = Files.walk(folder)) {
            assertEquals(
                    List.of(),
                    files.filter(file -> file.getFileName().toString().startsWith(".dit-build"))
                            .toList());
        }
    }

    @Test
    void saysThatMavenIsMissing() throws IOException {
        dit.useJdk();
        dit.makeSource();
        ShellRun run = dit.run("demo");
        assertEquals(1, run.exitCode());
        assertEquals(
                "dit: " + dit.jar()
                        + " has to be built and there is no mvn on the PATH; install Maven 3.8.7 or later\n",
                run.err());
    }

    @Test
    void buildsWhenTheJarIsMissingOrOlderThanTheSources() throws IOException {
        Path jdk = dit.useJdk();
        dit.useMaven("");
        Path source = dit.makeSource();
        ShellRun run = dit.run("--version");
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.err().startsWith("dit: building once, in " + dit.home + "\n"), run.err());
        assertTrue(run.out().contains("[--version]"), run.out());
        assertEquals(List.of(dit.home + ": mvn -B -Dstyle.color=never -Dquick package on " + jdk), dit.builds());
        assertBuilds(1, "not again");
        Path note = Files.writeString(dit.home.resolve("README.md"), "words");
        Files.setLastModifiedTime(note, later());
        assertBuilds(1, "a note is no reason to build");
        Files.setLastModifiedTime(Files.writeString(source, "class A { }"), later());
        assertBuilds(2, "a newer source");
        Files.setLastModifiedTime(source.getParent(), later());
        Files.delete(source);
        assertBuilds(3, "one source less");
    }

    /** Else mvn verify would find all compiled, and its checks would not see the sources. */
    @Test
    void mavenCompilesAgainAfterwards() throws IOException {
        dit.useJdk();
        dit.useMaven("mkdir -p model/target/classes model/target/maven-status/maven-compiler-plugin");
        dit.makeSource();
        assertBuilds(1, "the first start");
        assertTrue(Files.exists(dit.home.resolve("model/target/classes")));
        assertFalse(Files.exists(dit.home.resolve("model/target/maven-status")));
    }

    @Test
    void aSourceFromTheFutureIsBuiltOnce() throws IOException {
        dit.useJdk();
        dit.useMaven("");
        Files.setLastModifiedTime(dit.makeSource(), later());
        assertBuilds(1, "the first start");
        assertBuilds(1, "not again");
    }

    @Test
    void aSourceThatChangesDuringTheBuildIsBuiltAgain() throws IOException {
        dit.useJdk();
        Path source = dit.makeSource();
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().minusSeconds(60)));
        dit.useMaven("sleep 0.1; echo 'class A { int a; }' >model/src/main/java/A.java; sleep 0.1");
        assertBuilds(1, "the first start");
        assertBuilds(2, "the change");
        assertBuilds(2, "the second build wrote the same");
    }

    @Test
    void saysHowFarItIs() throws IOException {
        dit.useJdk();
        dit.makeSource();
        dit.useMaven("echo '[INFO] Building model 0.1.0-SNAPSHOT       [6/8]'\n"
                + "echo '[INFO] Downloaded from central: https://nowhere/a.jar (1 kB)'\n" + untilGo());
        ShellRun.Started started = dit.start("--version");
        waitUntilItSays(started, "building model");
        go();
        ShellRun run = started.end();
        assertTrue(
                Pattern.compile("(?m)^dit: building model \\(6 of 8\\), \\d+ s, downloads: 1$")
                        .matcher(run.err())
                        .find(),
                run.err());
        assertFalse(run.err().contains("[INFO]"), run.err());
    }

    @Test
    void onATerminalThatIsOneLineWhichGoesAway() throws IOException {
        Path terminal = Path.of("/usr/bin/script");
        assumeTrue(OS.LINUX.isCurrentOs() && Files.isExecutable(terminal), "no script(1) of util-linux");
        dit.useJdk();
        dit.makeSource();
        dit.useMaven("echo '[INFO] Building tornado-host 0.1.0-SNAPSHOT [2/8]'; sleep 1\n"
                + "echo '[INFO] Building model 0.1.0-SNAPSHOT [6/8]'; " + untilGo());
        dit.environment.put("SHELL", "/bin/sh");
        ShellRun.Started started = ShellRun.start(
                List.of(terminal.toString(), "-qefc", "sh '" + dit.script + "' --version", "/dev/null"),
                dit.environment);
        waitFor(started.out(), "building model", started.process());
        go();
        String out = started.end().out();
        List<String> lines = List.of(out.split("\r?\n"));
        List<String> states = List.of(lines.get(2).split("\r"));
        assertTrue(
                states.stream().anyMatch(state -> state.matches("dit: building model \\(6 of 8\\), \\d+ s\033\\[K")),
                out);
        assertTrue(states.getLast().startsWith("\033[Kjava "), "residue: " + out);
        assertEquals(3, lines.size(), out);
    }

    @Test
    void showsWhyABuildFailed() throws IOException {
        dit.useJdk();
        dit.makeSource();
        dit.useMaven("mkdir -p runner/target; echo jar >runner/target/tornado-dit.jar\n"
                + "echo '[INFO] lines'; echo '[ERROR] no network'; exit 1");
        ShellRun run = dit.run("demo");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().endsWith("[ERROR] no network\ndit: the build failed\n"), run.err());
        assertFalse(run.err().contains("[INFO]"), run.err());
        assertFalse(Files.exists(dit.jar()), "a jar without its libraries would pass for built");
    }

    @Test
    void severalFirstStartsBuildOnce() throws IOException {
        dit.useJdk();
        dit.useMaven(untilGo());
        dit.makeSource();
        List<ShellRun.Started> started = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            started.add(dit.start("sample"));
        }
        for (ShellRun.Started one : started) {
            waitUntilItSays(one, "dit: ");
        }
        go();
        int waited = 0;
        for (ShellRun.Started one : started) {
            ShellRun run = one.end();
            assertEquals(0, run.exitCode(), run.err());
            assertTrue(run.out().contains("[sample]"), run.out());
            waited += run.err().contains("dit: waiting for the build that process ") ? 1 : 0;
        }
        assertEquals(1, dit.builds().size());
        assertEquals(5, waited, "all others wait, and say so");
    }

    @Test
    void aBuildThatWasKilledIsDoneAgain() throws Exception {
        dit.useJdk();
        dit.useMaven("");
        dit.makeSource();
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        dit.makeJar(); // its libraries never came
        Path lock = Files.createDirectory(dit.home.resolve(".dit-build"));
        Files.writeString(lock.resolve("builder"), output("uname", "-n").strip() + " " + gone.pid() + "\n");
        assertBuilds(1, "its process is gone");
    }

    @Test
    void aBuildOfAnotherMachineIsGivenUpAfterAMinute() throws IOException {
        dit.useJdk();
        dit.useMaven("");
        dit.makeSource();
        Path lock = Files.createDirectory(dit.home.resolve(".dit-build"));
        Path builder = Files.writeString(lock.resolve("builder"), "another-machine 1\n");
        ShellRun.Started waiting = dit.start("sample");
        waitUntilItSays(waiting, "waiting");
        assertFalse(ended(waiting.process(), 1500), "it does not wait");
        Files.setLastModifiedTime(builder, FileTime.from(Instant.now().minusSeconds(130)));
        ShellRun run = waiting.end();
        assertTrue(
                run.err().startsWith("dit: waiting for the build that process 1 on another-machine does"), run.err());
        assertEquals(1, dit.builds().size());
    }

    @Test
    void aBuildCanBeStopped() throws Exception {
        dit.useJdk();
        Path pid = Files.createFile(folder.resolve("mvn.pid"));
        dit.makeSource();
        dit.useMaven("mkdir -p runner/target; echo jar >runner/target/tornado-dit.jar\n" + "echo $$ >'" + pid
                + "'\nexec sleep 30");
        ShellRun.Started started = dit.start("sample");
        waitFor(pid, "\n", started.process());
        started.process().destroy(); // SIGTERM
        ShellRun run = started.end();
        assertEquals(143, run.exitCode(), run.err());
        assertFalse(Files.exists(dit.jar()), "a jar without its libraries would pass for built");
        long maven = Long.parseLong(Files.readString(pid).strip());
        assertTrue(ProcessHandle.of(maven).filter(ProcessHandle::isAlive).isEmpty(), "Maven goes on");
    }

    @Test
    void aBuiltCheckoutThatCannotBeWrittenRuns() throws IOException {
        dit.useJdk();
        dit.makeSource();
        dit.makeJar();
        ShellRun run = startAsAnother("sample").end();
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.out().contains("[" + dit.jar() + "]"), run.out());
    }

    /** Copies do not keep times: each file of the copy may be newer than its jar. */
    @Test
    void aCopyOfABuiltCheckoutIsNotBuiltAgain() throws IOException {
        dit.useJdk();
        dit.useMaven("");
        Path source = dit.makeSource();
        assertBuilds(1, "the first start");
        Files.setLastModifiedTime(source, later());
        Files.setLastModifiedTime(dit.home.resolve("pom.xml"), later());
        ShellRun run = startAsAnother("sample").end();
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.out().contains("[" + dit.jar() + "]"), run.out());
        assertEquals(1, dit.builds().size());
    }

    @Test
    void aCheckoutThatCannotBeWrittenIsBuiltInTheCache() throws IOException {
        dit.useJdk();
        dit.useMaven("ls model/src/main/java/A.java pom.xml model/pom.xml LICENSE NOTICE || exit 1");
        Path source = dit.makeSource();
        Path cache = Files.createDirectory(folder.resolve("cache"));
        dit.environment.put("XDG_CACHE_HOME", cache.toString());
        for (int builds : new int[] {1, 1}) {
            ShellRun run = startAsAnother("sample").end();
            assertEquals(0, run.exitCode(), run.err());
            assertTrue(run.out().contains("[" + cache + "/tornado-dit/build/"), run.out());
            assertTrue(run.out().contains("[-Ddit.home=" + dit.home + "]"), "the demo's weights: " + run.out());
            assertEquals(builds, dit.builds().size());
            assertTrue(dit.builds().getFirst().startsWith(cache + "/tornado-dit/build/"), "where it builds");
        }
        run("chmod", "-R", "u+w", dit.home.toString());
        Files.writeString(source, "class A { int changed; }");
        ShellRun run = startAsAnother("sample").end();
        assertEquals(0, run.exitCode(), run.err());
        assertEquals(2, dit.builds().size(), "a change of a source");
    }

    @Test
    void saysWhatToDoWhereNothingCanBeWritten() throws IOException {
        dit.useJdk();
        dit.useMaven("");
        dit.makeSource();
        dit.environment.put("XDG_CACHE_HOME", dit.home.resolve("no").toString());
        ShellRun run = startAsAnother("sample").end();
        assertEquals(1, run.exitCode());
        assertTrue(
                run.err().startsWith("dit: " + dit.home + " has to be built and cannot be written, nor can " + dit.home)
                        && run.err().endsWith("; set XDG_CACHE_HOME to a folder that can\n"),
                run.err());
    }

    /** The quick build leaves out all that tests need: model's test-jar, above all, is not made there. */
    @Test
    void theQuickBuildKnowsNoTests() throws IOException {
        try (Stream<Path> poms = Files.walk(CommandLineRun.ROOT, 2)) {
            for (Path pom : poms.filter(file -> file.endsWith("pom.xml")).toList()) {
                String text = Files.readString(pom)
                        .replaceAll("(?s)<profiles>.*</profiles>", "")
                        .replaceAll("(?s)<dependencyManagement>.*</dependencyManagement>", "");
                assertFalse(
                        text.contains("<scope>test</scope>") || text.contains("ErrorProne"),
                        pom + ": dependencies of tests and checks belong in the profile \"checks\"");
            }
        }
    }

    private void assertBuilds(int builds, String why) throws IOException {
        ShellRun run = dit.run("sample");
        assertEquals(0, run.exitCode(), run.err());
        assertEquals(builds, dit.builds().size(), why);
    }

    /** What a Maven does that ends with {@link #go}. */
    private String untilGo() {
        return "while [ ! -e '" + folder.resolve("go") + "' ]; do sleep 0.1; done";
    }

    private void go() throws IOException {
        Files.createFile(folder.resolve("go"));
    }

    private static void waitUntilItSays(ShellRun.Started started, String words) throws IOException {
        waitFor(started.err(), words, started.process());
    }

    private static void waitFor(Path file, String words, Process process) throws IOException {
        for (int i = 0; i < 3000 && !Files.readString(file).contains(words); i++) {
            if (ended(process, 20)) {
                break;
            }
        }
        assertTrue(Files.readString(file).contains(words), "no \"" + words + "\": " + Files.readString(file));
    }

    private static FileTime later() {
        return FileTime.from(Instant.now().plusSeconds(100));
    }

    private static boolean ended(Process process, long millis) {
        try {
            return process.waitFor(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Starts it where the checkout cannot be written: by its modes, and for root as another user. */
    private ShellRun.Started startAsAnother(String... arguments) throws IOException {
        boolean root = output("id", "-u").strip().equals("0");
        List<String> prefix = List.of();
        if (root) {
            assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "root can write everywhere");
            prefix = List.of("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
        }
        run("chmod", "-R", "a+rwX", folder.toString());
        run("chmod", "-R", "a-w", dit.home.toString());
        return dit.start(prefix, dit.script, arguments);
    }

    private static void run(String... command) throws IOException {
        output(command);
    }

    private static String output(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = process.inputReader().readAllAsString();
        assertTrue(ended(process, 60_000) && process.exitValue() == 0, output);
        return output;
    }
}
