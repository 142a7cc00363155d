package org.tornadodit.runner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the process finds around it. The one place that reads system properties.
 *
 * @param home the project's folder, which holds {@code demo/}; from {@code -Ddit.home}, else the current folder or one
 *     of its parents
 * @param terminal whether stderr is a terminal; from {@code -Ddit.terminal}
 * @param sdkProblem why there is no TornadoVM SDK, should there be none; from {@code -Ddit.sdk.problem}
 */
record Surroundings(Path home, boolean terminal, String sdkProblem) {

    static Surroundings read() {
        String home = System.getProperty("dit.home");
        return new Surroundings(
                home != null ? Path.of(home) : findHome(Path.of("").toAbsolutePath()),
                Boolean.getBoolean("dit.terminal"),
                System.getProperty("dit.sdk.problem", "no TornadoVM SDK was found (TORNADOVM_HOME is not set)"));
    }

    /** The NVIDIA driver's version as its kernel module tells it, where there is one. */
    static Optional<String> nvidiaDriver() {
        Path file = Path.of("/proc/driver/nvidia/version");
        try {
            return Files.readString(file)
                    .lines()
                    .findFirst()
                    .map(line -> line.replaceFirst("^NVRM version:\\s*", "").replaceAll("\\s+", " "));
        } catch (IOException absent) {
            return Optional.empty();
        }
    }

    private static Path findHome(Path start) {
        for (@Nullable Path folder = start; folder != null; folder = folder.getParent()) {
            if (Files.isDirectory(folder.resolve("demo").resolve("vae"))) {
                return folder;
            }
        }
        return start;
    }
}
