package org.tornadodit.runner.terminal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.runner.download.HubCache;
import org.tornadodit.runner.download.WeightsFinder;
import org.tornadodit.scheduler.device.TornadoDevices;

/**
 * What the process finds around it. The one place that reads system properties.
 *
 * @param home the project's folder, which holds {@code demo/}; from {@code -Ddit.home}, else the current folder or one
 *     of its parents
 * @param terminal whether stderr is a terminal; from {@code -Ddit.terminal}
 * @param sdkProblem why there is no TornadoVM SDK, should there be none; from {@code -Ddit.sdk.problem}
 */
public record Surroundings(Path home, boolean terminal, String sdkProblem) {

    /** Of /proc/PID/stat, behind the process's name: when it began, in ticks since the boot. */
    private static final int STAT_BEGIN = 19;

    private static final double TICKS_PER_SECOND = 100;

    public static Surroundings read() {
        String home = System.getProperty("dit.home");
        return new Surroundings(
                home != null ? Path.of(home) : findHome(Path.of("").toAbsolutePath()),
                Boolean.getBoolean("dit.terminal"),
                System.getProperty("dit.sdk.problem", "no TornadoVM SDK was found (TORNADOVM_HOME is not set)"));
    }

    /** Columns of the terminal, where there is one; {@code -Ddit.columns} and {@code COLUMNS} say otherwise. */
    public static OptionalInt columns() {
        for (String set : new String[] {System.getProperty("dit.columns"), System.getenv("COLUMNS")}) {
            OptionalInt columns = set == null ? OptionalInt.empty() : Terminal.positive(set);
            if (columns.isPresent()) {
                return columns;
            }
        }
        return Terminal.controlling();
    }

    /** The NVIDIA driver's version as its kernel module tells it, where there is one. */
    public static Optional<String> nvidiaDriver() {
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

    /** The driver's version alone, from its kernel module or from nvidia-smi. */
    public static Optional<String> driverVersion() {
        Pattern version = Pattern.compile("\\b\\d{3,}\\.\\d+(\\.\\d+)?\\b");
        return nvidiaDriver()
                .or(Surroundings::nvidiaSmi)
                .map(version::matcher)
                .filter(Matcher::find)
                .map(Matcher::group);
    }

    private static Optional<String> nvidiaSmi() {
        try {
            Process process = new ProcessBuilder("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
                    .redirectErrorStream(true)
                    .start();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return Optional.empty();
            }
            return process.inputReader().lines().findFirst();
        } catch (IOException absent) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /** Version of the TornadoVM SDK that serves the process; {@code tornado-host} without one. */
    public static String tornadoVersion() {
        if (!TornadoDevices.sdkIsPresent()) {
            return "tornado-host";
        }
        String sdk = System.getenv("TORNADOVM_HOME");
        if (sdk == null) {
            return "unknown";
        }
        try (Stream<String> lines = Files.lines(Path.of(sdk, "etc", "tornado.release"))) {
            return lines.filter(line -> line.startsWith("version="))
                    .map(line -> line.substring("version=".length()).strip())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException | UncheckedIOException | InvalidPathException absent) {
            return "unknown";
        }
    }

    /**
     * Seconds since this process began, the launcher's included; 0 where the system does not say. Java's own answer is off
     * by up to a second on Linux, where it counts from the boot's time in whole seconds.
     */
    public static double secondsOfProcess() {
        try {
            String stat = Files.readString(Path.of("/proc/self/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            double begun = Long.parseLong(fields[STAT_BEGIN]) / TICKS_PER_SECOND;
            double now =
                    Double.parseDouble(Files.readString(Path.of("/proc/uptime")).split(" ")[0]);
            return Math.max(0, now - begun);
        } catch (IOException | RuntimeException e) { // not Linux
            return 0;
        }
    }

    /** Where this user's caches go; {@code -Ddit.cache} says otherwise. */
    public static Path cacheFolder() {
        return folder("dit.cache", "XDG_CACHE_HOME", "Library/Caches", ".cache", "tornado-dit");
    }

    /** Where compiled kernels are kept; {@code -Ddit.kernels} says otherwise. */
    public static Path kernelFolder() {
        String set = System.getProperty("dit.kernels");
        return set != null ? Path.of(set) : cacheFolder().resolve("kernels");
    }

    /** Where this user's downloaded weights go; {@code -Ddit.weights} says otherwise. */
    public static Path weightsFolder() {
        return folder(
                "dit.weights", "XDG_DATA_HOME", "Library/Application Support", ".local/share", "tornado-dit/weights");
    }

    /**
     * A folder of this program's.
     *
     * @param property that names it, whatever the system has
     * @param xdg variable of the folder that holds it; on Windows it is {@code LOCALAPPDATA}
     * @param mac folder that holds it where the user has such a one, in the user's
     * @param unix folder that holds it elsewhere, in the user's
     * @param name below that
     */
    private static Path folder(String property, String xdg, String mac, String unix, String name) {
        String set = System.getProperty(property);
        if (set != null) {
            return Path.of(set);
        }
        String base = System.getenv(xdg);
        String windows = System.getenv("LOCALAPPDATA");
        Path user = Path.of(System.getProperty("user.home", "."));
        Path onMac = user.resolve(mac);
        Path parent = base != null && !base.isBlank()
                ? Path.of(base)
                : windows != null ? Path.of(windows) : Files.isDirectory(onMac) ? onMac : user.resolve(unix);
        return parent.resolve(name);
    }

    /** Weights that are on this machine; {@code -Ddit.hub.cache} names another cache of the Hugging Face hub. */
    public static WeightsFinder weights() {
        String set = System.getProperty("dit.hub.cache");
        HubCache cache = set != null
                ? new HubCache(Path.of(set))
                : HubCache.of(System.getenv(), Path.of(System.getProperty("user.home", ".")));
        return new WeightsFinder(weightsFolder(), cache);
    }

    /** Version of the jar; {@code development} where classes are not in one. */
    public static String projectVersion() {
        String version = Surroundings.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
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
