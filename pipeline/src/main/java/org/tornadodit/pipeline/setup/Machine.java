package org.tornadodit.pipeline.setup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.tornadodit.scheduler.device.TornadoDevices;

/** The machine that the process runs on: folders of this user, and versions of what is installed. */
public final class Machine {
    private Machine() {}

    /** Where this user's caches go; {@code -Ddit.cache} says otherwise. */
    public static Path cacheFolder() {
        return folder("dit.cache", "XDG_CACHE_HOME", "Library/Caches", ".cache", "tornado-dit");
    }

    /** Where compiled kernels are kept; {@code -Ddit.kernels} says otherwise. */
    public static Path kernelFolder() {
        String set = System.getProperty("dit.kernels");
        return set != null ? Path.of(set) : cacheFolder().resolve("kernels");
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
    public static Path folder(String property, String xdg, String mac, String unix, String name) {
        return folder(System.getenv(), property, xdg, mac, unix, name);
    }

    /**
     * As above.
     *
     * @param environment variables of the process
     */
    static Path folder(
            Map<String, String> environment, String property, String xdg, String mac, String unix, String name) {
        String set = System.getProperty(property);
        if (set != null) {
            return Path.of(set);
        }
        String base = environment.get(xdg);
        String windows = environment.get("LOCALAPPDATA");
        Path user = Path.of(System.getProperty("user.home", "."));
        Path onMac = user.resolve(mac);
        Path parent = base != null && Path.of(base).isAbsolute() // relative ones do not count, nor to the launcher
                ? Path.of(base)
                : windows != null ? Path.of(windows) : Files.isDirectory(onMac) ? onMac : user.resolve(unix);
        return parent.resolve(name);
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
                .or(Machine::nvidiaSmi)
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

    /** Version of this jar; {@code development} where classes are not in one. */
    public static String projectVersion() {
        String version = Machine.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
