package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./dit} itself, in a folder of its own, with programs that stand in for java and mvn. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path home;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path script;

    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void copyTheScript() throws IOException {
        home = Files.createDirectory(folder.resolve("project with a space"));
        script = ShellRun.copyOfScript("dit", home);
        environment.put("PATH", ShellRun.tools(folder.resolve("tools")).toString());
        environment.put("HOME", Files.createDirectory(folder.resolve("user")).toString());
    }

    @Test
    void saysWhatToInstallWithoutAJdk25() {
        ShellRun run = run("sample");
        assertEquals(1, run.exitCode());
        assertEquals(
                "dit: no JDK 25 found; install one (for example Temurin 25) and set JAVA_HOME to its folder\n",
                run.err());
        assertEquals("", run.out());
    }

    @Test
    void takesJavaHomeIfItIsA25() throws IOException {
        Path jdk = ShellRun.jdk(folder.resolve("jdk 25"), "25.0.1");
        environment.put("JAVA_HOME", jdk.toString());
        assertEquals(jdk + "\n", run("--print-jdk").out());
    }

    @Test
    void passesOverAnOlderJavaHome() throws IOException {
        environment.put(
                "JAVA_HOME", ShellRun.jdk(folder.resolve("jdk17"), "17.0.15").toString());
        assertEquals(1, run("--print-jdk").exitCode());
        Path jdk = ShellRun.jdk(folder.resolve("user/.jdks/temurin-25"), "25");
        ShellRun.jdk(folder.resolve("user/.jdks/broken-25"), "21.0.2");
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25\"\n");
        assertEquals(jdk + "\n", run("--print-jdk").out());
    }

    @Test
    void saysThatMavenIsMissing() throws IOException {
        useJdk();
        ShellRun run = run("demo");
        assertEquals(1, run.exitCode());
        assertEquals(
                "dit: " + jar() + " has to be built and there is no mvn on the PATH; install Maven 3.8.7 or later\n",
                run.err());
    }

    @Test
    void startsRunnerWithTheArgumentsAsTheyAre() throws IOException {
        useJdk();
        makeJar();
        environment.put("DIT_JVM_OPTS", "-Xmx4g -Xss2m");
        ShellRun run = run("sample", "--output", "my picture.png", "--class-labels", "ice cream,*");
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(
                run.out()
                        .endsWith(" [-Xmx4g] [-Xss2m] [-cp] [" + jar() + "] [org.tornadodit.runner.Runner]"
                                + " [sample] [--output] [my picture.png] [--class-labels] [ice cream,*]\n"),
                run.out());
        assertTrue(run.out().contains("[-Ddit.home=" + home + "] [-Ddit.terminal=false]"), run.out());
        assertTrue(run.out().contains("[--add-modules=jdk.incubator.vector]"), run.out());
        assertTrue(
                run.out().contains("[-Ddit.sdk.problem=no TornadoVM SDK was found (TORNADOVM_HOME is not set)]"),
                run.out());
    }

    @Test
    void givesBackTheExitCode() throws IOException {
        Path jdk = useJdk();
        makeJar();
        ShellRun.program(jdk.resolve("bin/java"), "exit 5");
        assertEquals(5, run("evaluate", "a.png", "b.png").exitCode());
    }

    @Test
    void buildsWhenTheJarIsMissingOrOlderThanTheSources() throws IOException {
        useJdk();
        ShellRun.program(
                folder.resolve("tools/mvn"),
                "echo mvn \"$@\" in \"$JAVA_HOME\" >>'" + folder.resolve("mvn.log")
                        + "'; mkdir -p runner/target; echo jar >runner/target/tornado-dit.jar");
        ShellRun run = run("--version");
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.err().contains("dit: building"), run.err());
        assertTrue(run.out().contains("[--version]"), run.out());
        assertEquals(1, builds());
        run("--version");
        assertEquals(1, builds(), "not again");
        FileTime later = FileTime.from(Instant.now().plusSeconds(100));
        Files.setLastModifiedTime(Files.writeString(home.resolve("README.md"), "words"), later);
        run("--version");
        assertEquals(1, builds(), "a note is no reason to build");
        Path source = home.resolve("model/src/main/java/A.java");
        Files.createDirectories(source.getParent());
        Files.setLastModifiedTime(Files.writeString(source, "class A {}"), later);
        run("--version");
        assertEquals(2, builds(), "a newer source");
    }

    @Test
    void showsWhyABuildFailed() throws IOException {
        useJdk();
        ShellRun.program(
                folder.resolve("tools/mvn"),
                "mkdir -p runner/target; echo jar >runner/target/tornado-dit.jar; echo '[ERROR] no network'; exit 1");
        ShellRun run = run("demo");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().endsWith("[ERROR] no network\ndit: the build failed\n"), run.err());
        assertFalse(Files.exists(home.resolve(".dit-build.log")));
        assertFalse(Files.exists(jar()), "a jar without its libraries would pass for built");
    }

    @Test
    void startsWithTheSdkThatTornadovmHomeNames() throws IOException {
        useJdk();
        makeJar();
        Path sdk = ShellRun.sdk(folder.resolve("sdk"), "5.2.0-jdk25");
        environment.put("TORNADOVM_HOME", sdk.toString());
        ShellRun run = run("sample");
        Path arguments = home.resolve("runner/target/tornado-argfile");
        assertTrue(run.out().contains("java [@" + arguments + "]"), run.out());
        assertEquals("--module-path " + sdk + "/share/java/tornado\n", Files.readString(arguments));
        assertFalse(run("sample", "--device", "cpu").out().contains("tornado-argfile"), "not needed for the CPU");
    }

    @Test
    void thePtxBackendGetsTheFlagsOfItsPlugin() throws IOException {
        useJdk();
        Path sdk = ShellRun.sdk(folder.resolve("sdk"), "5.2.0-jdk25");
        environment.put("TORNADOVM_HOME", sdk.toString());
        Path flags = home.resolve("tornado-ptx/src/main/resources/org/tornadodit/ptx/jvm-flags");
        Files.createDirectories(flags.getParent());
        Files.writeString(flags, "# why\n--add-exports=a/b=ALL-UNNAMED\n");
        makeJar();
        Path arguments = home.resolve("runner/target/tornado-argfile");
        String own = "--module-path " + sdk + "/share/java/tornado\n";
        run("sample");
        assertEquals(own, Files.readString(arguments), "no PTX backend in the SDK");
        Path jar = sdk.resolve("share/java/tornado/tornado-drivers-ptx-5.2.0-jdk25.jar");
        Files.createDirectories(jar.getParent());
        Files.createFile(jar);
        run("sample");
        assertEquals(own + "--add-exports=a/b=ALL-UNNAMED\n", Files.readString(arguments));
    }

    @Test
    void passesOverAnSdkOfAnotherVersionAndSaysSo() throws IOException {
        useJdk();
        makeJar();
        Path sdk = ShellRun.sdk(folder.resolve("sdk"), "1.0.7");
        environment.put("TORNADOVM_HOME", sdk.toString());
        ShellRun run = run("sample");
        assertTrue(
                run.out()
                        .contains("[-Ddit.sdk.problem=the TornadoVM SDK in " + sdk
                                + " is version 1.0.7, wanted 5.2.0-jdk25]"),
                run.out());
        environment.put("TORNADOVM_HOME", folder.resolve("nothing").toString());
        assertTrue(run("sample").out().contains("there is no TornadoVM SDK in TORNADOVM_HOME="), "and an empty one");
    }

    private Path useJdk() throws IOException {
        Path jdk = ShellRun.jdk(folder.resolve("jdk"), "25.0.1");
        environment.put("JAVA_HOME", jdk.toString());
        return jdk;
    }

    private Path jar() {
        return home.resolve("runner/target/tornado-dit.jar");
    }

    private void makeJar() throws IOException {
        Files.createDirectories(jar().getParent());
        Files.writeString(jar(), "jar");
    }

    private long builds() throws IOException {
        try (var lines = Files.lines(folder.resolve("mvn.log"))) {
            return lines.filter(line -> line.contains("-DskipTests package in " + environment.get("JAVA_HOME")))
                    .count();
        }
    }

    private ShellRun run(String... arguments) {
        return ShellRun.of(script, environment, List.of(arguments));
    }
}
