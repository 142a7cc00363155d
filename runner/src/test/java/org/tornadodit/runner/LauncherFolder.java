package org.tornadodit.runner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A copy of {@code ./dit} in a folder of its own, with programs that stand in for java and mvn. */
final class LauncherFolder {

    final Path folder;
    final Path home;
    final Path script;
    final Map<String, String> environment = new HashMap<>();

    LauncherFolder(Path folder) throws IOException {
        this.folder = folder;
        home = Files.createDirectory(folder.resolve("project with a space"));
        script = ShellRun.copyOfScript("dit", home);
        environment.put("PATH", ShellRun.tools(folder.resolve("tools")).toString());
        environment.put("HOME", Files.createDirectory(folder.resolve("user")).toString());
    }

    /** A JDK whose java says what it was called with. */
    Path useJdk() throws IOException {
        Path jdk = ShellRun.jdk(folder.resolve("jdk"), "25.0.1");
        environment.put("JAVA_HOME", jdk.toString());
        return jdk;
    }

    /** An SDK, with the PTX backend or without. */
    Path useSdk(String name, boolean ptx) throws IOException {
        Path sdk = ShellRun.sdk(folder.resolve(name), "5.2.0-jdk25");
        if (ptx) {
            Files.createFile(sdk.resolve("share/java/tornado/tornado-drivers-ptx-5.2.0-jdk25.jar"));
        }
        environment.put("TORNADOVM_HOME", sdk.toString());
        return sdk;
    }

    /** A Maven that writes to a log where it builds, does this, and makes the jar. */
    void useMaven(String more) throws IOException {
        ShellRun.program(
                folder.resolve("tools/mvn"),
                "echo \"$(pwd): mvn $* on $JAVA_HOME\" >>'" + folder.resolve("mvn.log") + "'\n" + more
                        + "\nmkdir -p runner/target; echo jar >runner/target/tornado-dit.jar");
    }

    /** Where Maven was called, and with what. */
    List<String> builds() throws IOException {
        Path log = folder.resolve("mvn.log");
        return Files.exists(log) ? Files.readAllLines(log) : List.of();
    }

    Path jar() {
        return home.resolve("runner/target/tornado-dit.jar");
    }

    void makeJar() throws IOException {
        Files.createDirectories(jar().getParent());
        Files.writeString(jar(), "jar");
    }

    /** A module with one class. */
    Path makeSource() throws IOException {
        Files.writeString(home.resolve("pom.xml"), "<project/>");
        Files.writeString(home.resolve("LICENSE"), "licence");
        Files.writeString(home.resolve("NOTICE"), "notice");
        Path module = Files.createDirectories(home.resolve("model"));
        Files.writeString(module.resolve("pom.xml"), "<project/>");
        Path source = module.resolve("src/main/java/A.java");
        Files.createDirectories(source.getParent());
        return Files.writeString(source, "class A {}");
    }

    ShellRun run(String... arguments) {
        return start(arguments).end();
    }

    ShellRun.Started start(String... arguments) {
        return start(List.of(), script, arguments);
    }

    ShellRun.Started start(List<String> prefix, Path script, String... arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of("/bin/sh", script.toString()));
        command.addAll(List.of(arguments));
        return ShellRun.start(command, environment);
    }
}
