package org.tornadodit.runner;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What one of the project's shell scripts gave back. */
record ShellRun(int exitCode, String out, String err) {

    /** What the scripts may count on; neither java nor mvn, curl or wget. */
    private static final List<String> TOOLS = List.of(
            "sh",
            "cat",
            "chmod",
            "cksum",
            "cp",
            "cut",
            "dirname",
            "find",
            "grep",
            "head",
            "id",
            "ls",
            "mkdir",
            "mktemp",
            "mv",
            "ps",
            "readlink",
            "rm",
            "rmdir",
            "sed",
            "sha256sum",
            "sleep",
            "sort",
            "tail",
            "tar",
            "touch",
            "uname",
            "xz",
            "gzip");

    /** A script that runs. */
    record Started(Process process, Path out, Path err) {

        /** Waits for its end. */
        ShellRun end() {
            try {
                if (!process.waitFor(60, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                    throw new IllegalStateException("it does not end: " + process.info());
                }
                return new ShellRun(
                        process.exitValue(),
                        Files.readString(out, StandardCharsets.UTF_8),
                        Files.readString(err, StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            } finally {
                delete(out);
                delete(err);
            }
        }
    }

    /** Runs a script with nothing in its environment but this. */
    static ShellRun of(Path script, Map<String, String> environment, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of("/bin/sh", script.toString()));
        command.addAll(arguments);
        return start(command, environment).end();
    }

    /** Starts a command with nothing in its environment but this. */
    static Started start(List<String> command, Map<String, String> environment) {
        try {
            Path out = Files.createTempFile("dit-shell", ".out");
            Path err = Files.createTempFile("dit-shell", ".err");
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            builder.environment().clear();
            builder.environment().putAll(environment);
            return new Started(builder.start(), out, err);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A folder for PATH that leads to the usual tools alone. */
    static Path tools(Path folder) throws IOException {
        Files.createDirectories(folder);
        for (String tool : TOOLS) {
            for (String place : List.of("/usr/bin", "/bin", "/opt/homebrew/bin")) {
                Path found = Path.of(place, tool);
                if (Files.isExecutable(found) && !Files.exists(folder.resolve(tool))) {
                    program(folder.resolve(tool), "exec " + found + " \"$@\"");
                }
            }
        }
        return folder;
    }

    /**
     * Copies a script of the project, with the system's own folders for JDKs out of its sight: what is installed on the
     * machine shall not decide a test.
     */
    static Path copyOfScript(String name, Path folder) throws IOException {
        String text = Files.readString(CommandLineRun.ROOT.resolve(name))
                .replace(" /usr/lib/jvm/", " /nowhere/jvm/")
                .replace(" /opt/", " /nowhere/opt/")
                .replace(" /Library/", " /nowhere/Library/");
        Path script = Files.writeString(folder.resolve(name), text);
        return executable(script);
    }

    /** Writes a shell script that stands in for a program. */
    static Path program(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Path part = Files.writeString(file.resolveSibling(file.getFileName() + ".part"), "#!/bin/sh\n" + text + "\n");
        executable(part);
        return Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    }

    /** A folder that looks like a JDK; its java says what it was called with. */
    static Path jdk(Path folder, String version) throws IOException {
        program(folder.resolve("bin/java"), "printf 'java'; printf ' [%s]' \"$@\"; echo");
        program(folder.resolve("bin/javac"), "exit 0");
        program(
                folder.resolve("bin/jar"),
                "exec '" + Path.of(System.getProperty("java.home"), "bin", "jar") + "' \"$@\"");
        Files.writeString(folder.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\n");
        return folder;
    }

    /** A folder that looks like a TornadoVM SDK. */
    static Path sdk(Path folder, String version) throws IOException {
        Files.createDirectories(folder.resolve("share/java/tornado"));
        Files.createDirectories(folder.resolve("etc"));
        Files.writeString(folder.resolve("share/java/tornado/tornado-api.jar"), "no jar");
        Files.writeString(folder.resolve("etc/tornado.release"), "version=" + version + "\nbranch=none\n");
        Files.writeString(
                folder.resolve("tornado-argfile.template"), "--module-path ${TORNADOVM_HOME}/share/java/tornado\n");
        program(folder.resolve("bin/tornado"), "exit 0");
        return folder;
    }

    private static Path executable(Path file) {
        if (!file.toFile().setExecutable(true)) {
            throw new IllegalStateException(file + " cannot be made executable");
        }
        return file;
    }
}
