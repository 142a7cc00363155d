package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How {@code ./dit} finds what it needs and starts Runner. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private LauncherFolder dit;

    @BeforeEach
    void copyTheScript() throws IOException {
        dit = new LauncherFolder(folder);
    }

    @Test
    void saysWhatToInstallWithoutAJdk25() {
        ShellRun run = dit.run("sample");
        assertEquals(1, run.exitCode());
        assertEquals(
                "dit: no JDK 25 found; install one (for example Temurin 25) and set JAVA_HOME to its folder\n",
                run.err());
        assertEquals("", run.out());
    }

    @Test
    void takesJavaHomeIfItIsA25() throws IOException {
        Path jdk = ShellRun.jdk(folder.resolve("jdk 25"), "25.0.1");
        dit.environment.put("JAVA_HOME", jdk.toString());
        assertEquals(jdk + "\n", dit.run("--print-jdk").out());
    }

    @Test
    void passesOverAnOlderJavaHome() throws IOException {
        dit.environment.put(
                "JAVA_HOME", ShellRun.jdk(folder.resolve("jdk17"), "17.0.15").toString());
        assertEquals(1, dit.run("--print-jdk").exitCode());
        Path jdk = ShellRun.jdk(folder.resolve("user/.jdks/temurin-25"), "25");
        ShellRun.jdk(folder.resolve("user/.jdks/broken-25"), "21.0.2");
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25\"\n");
        assertEquals(jdk + "\n", dit.run("--print-jdk").out());
    }

    @Test
    void startsRunnerWithTheArgumentsAsTheyAre() throws IOException {
        dit.useJdk();
        dit.makeJar();
        dit.environment.put("DIT_JVM_OPTS", "-Xmx4g -Xss2m");
        ShellRun run = dit.run("sample", "--output", "my picture.png", "--class-labels", "ice cream,*");
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(
                run.out()
                        .endsWith(" [-Xmx4g] [-Xss2m] [-cp] [" + dit.jar() + "] [org.tornadodit.runner.Runner]"
                                + " [sample] [--output] [my picture.png] [--class-labels] [ice cream,*]\n"),
                run.out());
        assertTrue(run.out().contains("[-Ddit.home=" + dit.home + "] [-Ddit.terminal=false]"), run.out());
        assertTrue(run.out().contains("[--add-modules=jdk.incubator.vector]"), run.out());
        assertTrue(run.out().contains("[--add-exports=java.base/jdk.internal.vm=ALL-UNNAMED]"), "slow virtual devices");
        assertTrue(
                run.out().contains("[-Ddit.sdk.problem=no TornadoVM SDK was found (TORNADOVM_HOME is not set)]"),
                run.out());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "--version",
                "--help",
                "score 25.9",
                "generate-completion",
                "generate-man-page",
                "sample --help",
                "--debug help sample"
            })
    void commandsThatEndAtOnceNeedNeitherTheSdkNorTheVectorApi(String command) throws IOException {
        dit.useJdk();
        dit.useSdk("sdk", true);
        dit.makeJar();
        ShellRun run = dit.run(command.isEmpty() ? new String[0] : command.split(" "));
        assertTrue(run.out().startsWith("java [-XX:TieredStopAtLevel=1]"), run.out());
        assertFalse(run.out().contains("incubator"), run.out());
        assertFalse(run.out().contains("tornado/"), run.out());
    }

    @Test
    void commandsGetTheEngineThatTheyNeed() throws IOException {
        dit.useJdk();
        dit.useSdk("sdk", false);
        dit.makeJar();
        assertNeeds("", "report");
        assertNeeds("", "show", "a.png");
        assertNeeds("", "classes", "fox");
        assertNeeds("", "evaluate", "cpu", "b.png");
        assertNeeds("vector", "evaluate", "a.png", "b.png", "--lpips-weights", "vgg");
        assertNeeds("vector", "evaluate", "--npz", "a.npz", "b.npz", "--inception-weights", "inc");
        assertNeeds("vector", "sample", "--device", "cpu");
        assertNeeds("vector", "sample", "--devices=cpu:2");
        assertNeeds("tornado", "sample", "--rng", "cpu");
        assertNeeds("tornado", "devices");
    }

    /** The JVM chooses Serial on a small machine, with which a damaged JPEG can block for ever. */
    @Test
    void readsImagesWithoutCollectorsThatWaitForNativeCode() throws IOException {
        dit.useJdk();
        dit.makeJar();
        assertTrue(dit.run("evaluate", "a.png", "b.png").out().contains("-XX:+UseG1GC"));
        assertTrue(dit.run("evaluate", "a.png", "b.png", "--lpips-weights", "vgg")
                .out()
                .contains("-XX:+UseG1GC"));
        assertFalse(dit.run("evaluate", "--help").out().contains("-XX:+UseG1GC"));
        dit.environment.put("DIT_JVM_OPTS", "-XX:+UseZGC");
        assertFalse(dit.run("evaluate", "a.png", "b.png").out().contains("G1GC"));
    }

    private void assertNeeds(String engine, String... command) {
        String out = dit.run(command).out();
        assertEquals(engine.equals("vector"), out.contains("jdk.incubator.vector"), out);
        assertEquals(engine.equals("tornado"), out.contains("--module-path"), out);
        assertFalse(out.contains("TieredStopAtLevel"), out);
    }

    @Test
    void givesBackTheExitCode() throws IOException {
        Path jdk = dit.useJdk();
        dit.makeJar();
        ShellRun.program(jdk.resolve("bin/java"), "exit 5");
        assertEquals(5, dit.run("evaluate", "a.png", "b.png").exitCode());
    }

    /** Whoever stops the launcher stops Java: nothing is left behind that could go on. */
    @Test
    void becomesJava() throws IOException {
        Path jdk = dit.useJdk();
        dit.useSdk("sdk", true);
        dit.makeJar();
        ShellRun.program(jdk.resolve("bin/java"), "echo $$");
        ShellRun.Started started = dit.start("sample");
        assertEquals(started.process().pid() + "\n", started.end().out());
    }

    @Test
    void worksThroughSymbolicLinks() throws IOException {
        dit.useJdk();
        dit.makeJar();
        Path first = Files.createDirectory(folder.resolve("opt")).resolve("launcher");
        Files.createSymbolicLink(first, Path.of("../project with a space/dit"));
        Path second = Files.createDirectory(folder.resolve("my bin")).resolve("dit");
        Files.createSymbolicLink(second, first);
        ShellRun run = dit.start(List.of(), second, "sample").end();
        assertTrue(run.out().contains("/project with a space/runner/target/tornado-dit.jar]"), run.out() + run.err());
    }

    @Test
    void worksWithoutAHome() throws IOException {
        dit.useJdk();
        dit.makeJar();
        dit.environment.remove("HOME");
        ShellRun run = dit.run("sample");
        assertEquals(0, run.exitCode(), run.err());
        assertEquals("", run.err());
    }

    @Test
    void namesBeyondAsciiWorkInTheCLocale() throws IOException {
        Path jdk = dit.useJdk();
        dit.makeJar();
        ShellRun.program(jdk.resolve("bin/java"), "echo \"${LC_ALL:-not set}\"");
        String utf8 = OS.MAC.isCurrentOs() ? "en_US.UTF-8\n" : "C.UTF-8\n";
        assertEquals(utf8, dit.run("score", "1").out());
        dit.environment.put("LANG", "de_DE.UTF-8");
        assertEquals("not set\n", dit.run("score", "1").out(), "the user's own stays");
        dit.environment.put("LC_ALL", "POSIX");
        assertEquals(utf8, dit.run("score", "1").out());
        dit.environment.remove("LC_ALL");
        ShellRun.program(folder.resolve("tools/locale"), "echo ANSI_X3.4-1968");
        assertEquals(utf8, dit.run("score", "1").out(), "LANG is a locale that is not installed");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void theJvmTakesThatLocale() throws IOException {
        Path jdk = dit.useJdk();
        dit.makeJar();
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        ShellRun.program(jdk.resolve("bin/java"), "exec " + java + " -XshowSettings:properties -version");
        dit.environment.put("LC_ALL", "C");
        String err = dit.run("score", "1").err();
        assertTrue(err.contains("sun.jnu.encoding = UTF-8"), err);
    }

    @Test
    void startsWithTheSdkThatTornadovmHomeNames() throws IOException {
        dit.useJdk();
        dit.makeJar();
        Path sdk = dit.useSdk("an sdk", false);
        String out = dit.run("sample").out();
        assertTrue(out.startsWith("java [--module-path] [" + sdk + "/share/java/tornado] [--"), out);
        assertFalse(out.contains("[--add-modules=jdk.incubator.vector]"), "the SDK's arguments name modules: " + out);
        assertFalse(dit.run("sample", "--device", "cpu").out().contains("--module-path"), "not needed for the CPU");
    }

    @Test
    void readsArgumentsAsJavaDoes() throws IOException {
        dit.useJdk();
        dit.makeJar();
        Path sdk = dit.useSdk("sdk", false);
        Files.writeString(sdk.resolve("tornado-argfile.template"), """
            # Arguments of "TornadoVM"
            --upgrade-module-path "${TORNADOVM_HOME}/graal jars"
            -XX:+A  --add-exports a/b=ALL-UNNAMED,c.d

            "-Dpath=${TORNADOVM_HOME}/lib:${TORNADOVM_HOME}/x y"
            -Dother="one two"
            -D*=?
            """);
        String out = dit.run("sample").out();
        assertTrue(
                out.startsWith("java [--upgrade-module-path] [" + sdk + "/graal jars] [-XX:+A] [--add-exports]"
                        + " [a/b=ALL-UNNAMED,c.d] [-Dpath=" + sdk + "/lib:" + sdk
                        + "/x y] [-Dother=one two] [-D*=?] [--enable-native-access"),
                out);
        Files.delete(sdk.resolve("tornado-argfile.template"));
        Files.writeString(sdk.resolve("tornado-argfile"), "--filled /in");
        assertTrue(dit.run("sample").out().startsWith("java [--filled] [/in] [--enable"), "an SDK without a template");
    }

    @Test
    void thePtxBackendGetsTheFlagsOfItsPlugin() throws IOException {
        dit.useJdk();
        Path flags = dit.home.resolve("tornado-ptx/src/main/resources/org/tornadodit/ptx/jvm-flags");
        Files.createDirectories(flags.getParent());
        Files.writeString(flags, "# why\n--add-exports=a/b=ALL-UNNAMED\n");
        dit.makeJar();
        dit.useSdk("plain", false);
        assertFalse(dit.run("sample").out().contains("a/b"), "no PTX backend in the SDK");
        Path sdk = dit.useSdk("ptx", true);
        String out = dit.run("sample").out();
        assertTrue(
                out.startsWith("java [--module-path] [" + sdk + "/share/java/tornado] [--add-exports=a/b=ALL-UNNAMED]"),
                out);
    }

    /** Beside a GPU the heap is not the machine's share; who says how large it is decides. */
    @Test
    void theHeapsYoungPartIsSmallBesideTheSdk() throws IOException {
        dit.useJdk();
        dit.makeJar();
        assertFalse(dit.run("sample").out().contains("-Xmn"), "the CPU engine's");
        dit.useSdk("sdk", true);
        assertTrue(dit.run("sample").out().contains(" [-Xmn128m] "), "the SDK's");
        dit.environment.put("DIT_JVM_OPTS", "-Xmx8g");
        assertFalse(dit.run("sample").out().contains("-Xmn"), "the user's");
    }

    /** The compilers' memory goes back to the system beside a GPU, also where the user says how large the heap is. */
    @Test
    void whatCompilersTookIsGivenBackBesideTheSdk() throws IOException {
        dit.useJdk();
        dit.makeJar();
        assertFalse(dit.run("sample").out().contains("TrimNativeHeap"), "the CPU engine's");
        dit.useSdk("sdk", true);
        assertTrue(dit.run("sample").out().contains(" [-XX:TrimNativeHeapInterval=500] "), "the SDK's");
        dit.environment.put("DIT_JVM_OPTS", "-Xmx8g -XX:TrimNativeHeapInterval=0");
        String out = dit.run("sample").out();
        assertTrue(out.contains(" [-XX:TrimNativeHeapInterval=500] "), out);
        assertTrue(out.indexOf("Interval=500") < out.indexOf("Interval=0"), "the user's comes last, and counts");
    }

    /** Nothing that one start writes is read by another. */
    @Test
    void manyStartAtOnce() throws IOException {
        dit.useJdk();
        dit.useSdk("sdk", true);
        dit.makeJar();
        String alone = dit.run("sample").out();
        List<ShellRun.Started> started = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            started.add(dit.start("sample"));
        }
        for (ShellRun.Started one : started) {
            assertEquals(alone, one.end().out());
        }
        try (var files = Files.walk(dit.home)) {
            assertEquals(
                    List.of(dit.script, dit.jar()),
                    files.filter(Files::isRegularFile).sorted().toList(),
                    "files left behind");
        }
    }

    @Test
    void passesOverAnSdkOfAnotherVersionAndSaysSo() throws IOException {
        dit.useJdk();
        dit.makeJar();
        Path sdk = ShellRun.sdk(folder.resolve("sdk"), "1.0.7");
        dit.environment.put("TORNADOVM_HOME", sdk.toString());
        ShellRun run = dit.run("sample");
        assertTrue(
                run.out()
                        .contains("[-Ddit.sdk.problem=the TornadoVM SDK in " + sdk
                                + " is version 1.0.7, wanted 5.2.0-jdk25]"),
                run.out());
        dit.environment.put("TORNADOVM_HOME", folder.resolve("nothing").toString());
        assertTrue(
                dit.run("sample").out().contains("there is no TornadoVM SDK in TORNADOVM_HOME="), "and an empty one");
    }

    @Test
    void asksTheSdkForItsDevices() throws IOException {
        dit.useJdk();
        Path sdk = dit.useSdk("sdk", false);
        assertEquals(
                "java [--module-path] [" + sdk
                        + "/share/java/tornado] [uk.ac.manchester.tornado.drivers.TornadoDeviceQuery]\n",
                dit.run("--tornado-devices").out());
    }

    /** Another shell than the system's own, where there is one. */
    @ParameterizedTest
    @ValueSource(strings = {"dash", "bash --posix", "busybox sh", "ksh", "zsh --emulate sh"})
    void otherShellsRunIt(String shell) throws IOException {
        String[] words = shell.split(" ");
        Path program = Path.of("/usr/bin", words[0]);
        assumeTrue(Files.isExecutable(program), shell + " is not installed");
        dit.useJdk();
        dit.useSdk("sdk", true);
        dit.makeJar();
        List<String> command = new ArrayList<>(List.of(words));
        command.set(0, program.toString());
        command.addAll(List.of(dit.script.toString(), "sample", "a b"));
        assertEquals(
                dit.run("sample", "a b"),
                ShellRun.start(command, dit.environment).end());
    }
}
