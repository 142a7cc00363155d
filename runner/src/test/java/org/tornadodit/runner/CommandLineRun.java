package org.tornadodit.runner;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a command gave back. */
public record CommandLineRun(int exitCode, String out, String err) {

    /** The project's folder, where {@code demo/} and {@code reference/} are. */
    public static final Path ROOT = Path.of(System.getProperty("dit.root", ".."));

    private static final String NOWHERE = ROOT.resolve("no-such-folder").toString();

    /** What starts the program in a JVM of its own. */
    public static List<String> command(List<String> jvmOptions, List<?> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmOptions);
        command.addAll(List.of(
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Ddit.home=" + ROOT.toAbsolutePath(),
                "-cp",
                System.getProperty("java.class.path"),
                Runner.class.getName()));
        arguments.forEach(argument -> command.add(argument.toString()));
        return command;
    }

    public static CommandLineRun of(Object... arguments) {
        System.setProperty("dit.home", ROOT.toString());
        System.setProperty("dit.columns", "120");
        // What this machine's user has downloaded is none of the tests' business.
        System.setProperty("dit.weights", NOWHERE);
        System.setProperty("dit.hub.cache", NOWHERE);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        String[] words = new String[arguments.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = arguments[i].toString();
        }
        int exitCode = Runner.run(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                words);
        return new CommandLineRun(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
