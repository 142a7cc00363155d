package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code setup-tornado.sh} with archives on disk: each way ends as its text says, and leaves nothing half done. */
@DisabledOnOs(OS.WINDOWS)
class SetupTornadoTest {
    private static final String VERSION = "5.2.0-jdk25";

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path script;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path prefix;

    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void copyTheScripts() throws IOException {
        Path home = Files.createDirectory(folder.resolve("project"));
        ShellRun.copyOfScript("dit", home);
        script = ShellRun.copyOfScript("setup-tornado.sh", home);
        prefix = folder.resolve("pre fix");
        environment.put("PATH", ShellRun.tools(folder.resolve("tools")).toString());
        environment.put("HOME", Files.createDirectory(folder.resolve("user")).toString());
        environment.put(
                "JAVA_HOME", ShellRun.jdk(folder.resolve("jdk"), "25.0.1").toString());
    }

    @AfterEach
    void nothingIsHalfUnpacked() throws IOException {
        if (Files.exists(prefix)) {
            try (Stream<Path> files = Files.list(prefix)) {
                List<String> names =
                        files.map(file -> file.getFileName().toString()).toList();
                assertEquals(List.of("tornadovm-" + VERSION), names);
            }
        }
    }

    @Test
    void endsWellWithoutAnSdk() {
        ShellRun run = run("--no-download");
        assertUsesTheCpu(run, "no TornadoVM 5.2.0-jdk25 SDK; ./setup-tornado.sh --yes --sha256 HEX downloads it");
        assertTrue(run.out().startsWith("JDK 25: " + environment.get("JAVA_HOME") + "\n"), run.out());
        assertUsesTheCpu(run(), "no TornadoVM"); // stdin is no terminal: nobody to ask
    }

    @Test
    void failsWithoutAJdk() {
        environment.remove("JAVA_HOME");
        ShellRun run = run("--no-download");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().startsWith("setup-tornado: no JDK 25 found"), run.err());
    }

    @Test
    void findsTheSdkThatTornadovmHomeNames() throws IOException {
        Path sdk = ShellRun.sdk(folder.resolve("sdk"), VERSION);
        environment.put("TORNADOVM_HOME", sdk.toString());
        ShellRun run = run("--no-download");
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.out().contains("TornadoVM SDK: " + sdk + "\n"), run.out());
        assertTrue(run.out().contains("[uk.ac.manchester.tornado.drivers.TornadoDeviceQuery]"), "asks for devices");
        assertTrue(run.out().endsWith("GPU engine: ready; export TORNADOVM_HOME=" + sdk + "\n"), run.out());
        ShellRun install = install("file:///no/such/sdk.zip");
        assertEquals(0, install.exitCode(), install.err());
        assertTrue(install.out().contains("nothing is downloaded: there is one already\n"), install.out());
    }

    @Test
    void writesIntoMavensRepositoryOnlyWhenAsked() throws IOException {
        Path sdk = ShellRun.sdk(folder.resolve("sdk"), VERSION);
        environment.put("TORNADOVM_HOME", sdk.toString());
        Path jar = Files.writeString(
                sdk.resolve("share/java/tornado/tornado-api-" + VERSION + ".jar"), "stands for a jar");
        assertFails(run("--maven"), "there is no mvn on the PATH");
        Path log = folder.resolve("mvn.log");
        ShellRun.program(folder.resolve("tools/mvn"), "echo \"$JAVA_HOME $*\" >'" + log + "'");
        assertEquals(0, run("--no-download").exitCode());
        assertEquals(0, run().exitCode());
        assertFalse(Files.exists(log), "Maven was called");
        ShellRun run = run("--maven");
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.out().contains("tornado-api: installed in Maven's local repository"), run.out());
        String command = Files.readString(log);
        assertTrue(command.startsWith(environment.get("JAVA_HOME") + " "), command);
        assertTrue(command.contains(":install-file -Dfile=" + jar), command);
        ShellRun.program(folder.resolve("tools/mvn"), "echo '[ERROR] no network'; exit 1");
        ShellRun failing = run("--maven");
        assertEquals(1, failing.exitCode());
        assertTrue(
                failing.err().startsWith("  [ERROR] no network\nsetup-tornado: tornado-api could not"), failing.err());
        Files.delete(jar);
        assertFails(run("--maven"), "there is no " + jar);
    }

    @Test
    void failsWhenWhatWasAskedForIsNotThere() throws IOException {
        assertFails(run("--maven"), "no TornadoVM 5.2.0-jdk25 SDK, and so no API for Maven");
        assertFails(
                run("--sdk-url", "file:///no/such/sdk.zip"), "file:///no/such/sdk.zip was not downloaded: add --yes");
        Path file = Files.writeString(folder.resolve("file"), "no folder");
        ShellRun run = run("--yes", "--unverified", "--prefix", file.toString());
        assertEquals(1, run.exitCode());
        assertTrue(
                run.err()
                        .endsWith("setup-tornado: " + file + " cannot be written; name another folder with --prefix\n"),
                run.err());
    }

    @Test
    void worksThroughALinkAndWithoutAHome() throws IOException {
        environment.remove("HOME");
        Path link = Files.createSymbolicLink(folder.resolve("setup"), script);
        ShellRun run = ShellRun.of(link, environment, List.of("--no-download"));
        assertUsesTheCpu(run, "no TornadoVM");
        assertEquals("", run.err());
    }

    @Test
    void usesTheCpuWhenTheSdkSeesNoDevice() throws IOException {
        environment.put(
                "TORNADOVM_HOME", ShellRun.sdk(folder.resolve("sdk"), VERSION).toString());
        ShellRun.program(folder.resolve("jdk/bin/java"), "echo 'libcuda.so.1: cannot open' >&2; exit 1");
        ShellRun run = run("--no-download");
        assertUsesTheCpu(run, "the SDK finds no device");
        assertTrue(run.err().contains("libcuda.so.1"), run.err());
    }

    @Test
    void passesOverAnSdkOfAnotherVersion() throws IOException {
        Path sdk = ShellRun.sdk(folder.resolve("sdk"), "4.0.0");
        environment.put("TORNADOVM_HOME", sdk.toString());
        ShellRun run = run("--no-download");
        assertUsesTheCpu(run, "no TornadoVM");
        assertTrue(run.err().contains("passed over " + sdk + ": version 4.0.0, wanted " + VERSION), run.err());
    }

    @Test
    void installsAnArchiveFromDisk() throws IOException, NoSuchAlgorithmException {
        Path archive = archive("sdk.zip", VERSION);
        String sha256 =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(archive)));
        ShellRun run = install("file://" + archive, "--sha256", sha256);
        assertEquals(0, run.exitCode(), run.err());
        Path sdk = prefix.resolve("tornadovm-" + VERSION);
        assertTrue(run.out().contains("installed: " + sdk + "\n"), run.out());
        assertTrue(run.out().endsWith("GPU engine: ready; export TORNADOVM_HOME=" + sdk + "\n"), run.out());
        assertTrue(Files.isExecutable(sdk.resolve("bin/tornado")));
        ShellRun again = run("--prefix", prefix.toString(), "--no-download");
        assertTrue(again.out().contains("TornadoVM SDK: " + sdk), "found the next time: " + again.out());
    }

    @Test
    void refusesAnotherChecksum() throws IOException {
        Path archive = archive("sdk.zip", VERSION);
        assertFails(install(archive.toUri().toString(), "--sha256", "00ff"), "wanted 00ff; nothing was installed");
    }

    @Test
    void refusesAnotherVersion() throws IOException {
        assertFails(
                install("file://" + archive("sdk.zip", "5.1.0")),
                "holds version '5.1.0', wanted 5.2.0-jdk25; nothing was installed");
    }

    @Test
    void refusesWhatIsNoArchive() throws IOException {
        Path text = Files.writeString(folder.resolve("page.zip"), "<html>Not Found</html>");
        assertFails(install("file://" + text), "is not an archive that can be unpacked; nothing was installed");
        Path tar = Files.copy(text, folder.resolve("page.tar.gz"));
        assertFails(install("file://" + tar), "is not an archive that can be unpacked; nothing was installed");
    }

    @Test
    void refusesAnArchiveOfSomethingElse() throws IOException {
        Path archive = folder.resolve("other.zip");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(archive))) {
            zip.putNextEntry(new ZipEntry("README"));
        }
        assertFails(install("file://" + archive), "holds no TornadoVM SDK; nothing was installed");
    }

    /** The JDK's jar strips what would lead out of the folder. */
    @Test
    void unpacksNothingOutsideItsFolder() throws IOException {
        Path archive = folder.resolve("slip.zip");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(archive))) {
            zip.putNextEntry(new ZipEntry("../../../escaped"));
            zip.write(1);
            zip.closeEntry();
        }
        assertEquals(1, install("file://" + archive).exitCode());
        try (Stream<Path> files = Files.walk(folder)) {
            assertFalse(files.anyMatch(file -> file.endsWith("escaped")));
        }
    }

    @Test
    void failsWhenNothingCanBeDownloaded() throws IOException {
        assertFails(install("file:///no/such/sdk.zip"), "file:///no/such/sdk.zip could not be downloaded; nothing was");
        String url = "https://127.0.0.1:1/sdk.zip";
        assertFails(install(url, "--unverified"), "neither curl nor wget is installed");
        ShellRun.program(folder.resolve("tools/curl"), "echo 'curl: (7) Failed to connect' >&2; exit 7");
        assertFails(
                install(url, "--unverified"),
                "curl: (7) Failed to connect\nsetup-tornado: " + url + " could not be downloaded");
    }

    @Test
    void takesHttpsOnly() {
        assertWrongUsage(
                "--sdk-url is http://127.0.0.1:1/sdk.zip, expected an https: or file: URL",
                "--yes",
                "--sdk-url",
                "http://127.0.0.1:1/sdk.zip");
        assertWrongUsage(
                "--sdk-url is ftp://127.0.0.1:1/sdk.zip, expected an https: or file: URL",
                "--sdk-url",
                "ftp://127.0.0.1:1/sdk.zip",
                "--sha256",
                "00ff");
    }

    @Test
    void downloadsNothingThatItCannotVerifyUnlessTold() throws IOException {
        Path called = folder.resolve("called");
        ShellRun.program(folder.resolve("tools/curl"), "echo \"$@\" >'" + called + "'; exit 7");
        assertFails(install("https://127.0.0.1:1/sdk.zip"), "give --sha256 HEX, or --unverified");
        assertFails(run("--yes", "--prefix", prefix.toString()), "give --sha256 HEX, or --unverified");
        assertFalse(Files.exists(called), "it was downloaded all the same");
        install("https://127.0.0.1:1/sdk.zip", "--unverified");
        assertTrue(Files.readString(called).contains("--proto-redir =https"), "redirections to HTTP are followed");
        Files.delete(folder.resolve("tools/curl"));
        ShellRun.program(folder.resolve("tools/wget"), "exit 1");
        ShellRun wget = install("https://127.0.0.1:1/sdk.zip", "--unverified");
        assertTrue(wget.err().contains("install curl, or give --sha256"), wget.err());
    }

    @Test
    void explainsItsOptions() {
        assertTrue(run("--help").out().contains("--sha256 HEX"), "help");
        assertWrongUsage("there is no option --nonsense", "--nonsense");
        assertWrongUsage("there are no arguments but options, and one is \"yes\"", "yes");
        assertWrongUsage("--sdk-url wants a value", "--sdk-url");
        assertWrongUsage("--prefix wants a value", "--prefix", "");
        assertWrongUsage("--yes and --no-download contradict each other", "--yes", "--no-download");
        assertWrongUsage("--sdk-url says what to download", "--sdk-url", "file:///a.zip", "--no-download");
    }

    private void assertWrongUsage(String reason, String... arguments) {
        ShellRun run = run(arguments);
        assertEquals(2, run.exitCode());
        assertTrue(run.err().startsWith("setup-tornado: " + reason) && run.err().endsWith("; see --help\n"), run.err());
        assertEquals("", run.out());
    }

    private Path archive(String name, String version) throws IOException {
        Path packed = folder.resolve("packed");
        Path sdk = ShellRun.sdk(packed.resolve("tornadovm-" + version), version);
        Path archive = folder.resolve(name);
        try (OutputStream out = Files.newOutputStream(archive);
                ZipOutputStream zip = new ZipOutputStream(out);
                Stream<Path> files = Files.walk(sdk)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                zip.putNextEntry(new ZipEntry(packed.relativize(file).toString()));
                Files.copy(file, zip);
            }
        }
        return archive;
    }

    private ShellRun install(String url, String... more) {
        return ShellRun.of(
                script,
                environment,
                Stream.concat(Stream.of("--yes", "--sdk-url", url, "--prefix", prefix.toString()), Stream.of(more))
                        .toList());
    }

    private ShellRun run(String... arguments) {
        return ShellRun.of(script, environment, List.of(arguments));
    }

    private static void assertUsesTheCpu(ShellRun run, String reason) {
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.out().contains("GPU engine: not available (" + reason), run.out());
        assertTrue(run.out().endsWith("The CPU engine will be used: ./dit demo\n"), run.out());
    }

    private void assertFails(ShellRun run, String message) {
        assertEquals(1, run.exitCode(), run.err());
        assertTrue(run.err().contains("setup-tornado: ") && run.err().contains(message), run.err());
        assertFalse(Files.exists(prefix), "an empty folder was left behind");
    }
}
