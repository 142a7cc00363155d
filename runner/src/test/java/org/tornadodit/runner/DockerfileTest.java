package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What can be told of the image without a container engine. */
class DockerfileTest {
    private static final Path ROOT = CommandLineRun.ROOT;

    @Test
    void theImageIsNotRoots() throws IOException {
        List<String> lines = Files.readAllLines(ROOT.resolve("Dockerfile"));
        String user = lines.reversed().stream()
                .filter(line -> line.startsWith("USER "))
                .findFirst()
                .orElse("USER 0");
        assertTrue(user.matches("USER [1-9][0-9]*"), "a number, which Kubernetes can judge: " + user);
        assertTrue(lines.indexOf(user) > lines.lastIndexOf("FROM debian:trixie-slim"), "of the last stage");
    }

    /** Build arguments become options of the script as it is. */
    @Test
    void theScriptKnowsTheOptionsThatItGets() throws IOException {
        String script = Files.readString(ROOT.resolve("setup-tornado.sh"));
        for (String option : List.of("--yes", "--sdk-url", "--sha256", "--unverified")) {
            assertTrue(script.contains("  " + option + " "), option);
        }
        assertTrue(Files.readString(ROOT.resolve("Dockerfile")).contains("--build-arg SDK=unverified "));
    }

    /** The launcher takes the image's jar for built only beside all the sources that it was built from. */
    @Test
    void theContextHoldsWhatTheBuildNeedsAndNoMore() throws IOException {
        List<PathMatcher> kept = Files.readAllLines(ROOT.resolve(".dockerignore")).stream()
                .filter(line -> line.startsWith("!"))
                .map(line -> FileSystems.getDefault().getPathMatcher("glob:" + line.substring(1) + "{,/**}"))
                .toList();
        for (String file : List.of("dit", "setup-tornado.sh", "pom.xml", "LICENSE", "NOTICE", "demo/vae/config.json")) {
            assertTrue(Files.exists(ROOT.resolve(file)), file);
            assertTrue(kept.stream().anyMatch(pattern -> pattern.matches(Path.of(file))), file);
        }
        assertTrue(
                Files.readAllLines(ROOT.resolve(".dockerignore")).contains("benchmarks"), "the quick build has none");
        String pom = Files.readString(ROOT.resolve("pom.xml")).replaceAll("(?s)<profiles>.*", "");
        for (String module : pom.replaceAll("(?s).*<modules>\\s*<module>|</module>\\s*</modules>.*", "")
                .split("</module>\\s*<module>")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(module))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    Path name = ROOT.relativize(file);
                    boolean needed = name.getNameCount() == 2
                            ? name.endsWith("pom.xml")
                            : name.subpath(1, 3).equals(Path.of("src/main"));
                    assertEquals(needed, kept.stream().anyMatch(pattern -> pattern.matches(name)), name.toString());
                }
            }
        }
    }
}
