package org.tornadodit.runner.terminal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.tornadodit.pipeline.setup.Machine;
import org.tornadodit.runner.download.HubCache;
import org.tornadodit.runner.download.WeightsFinder;

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

    /** Variables of the process, as schedulers set them. */
    public static Map<String, String> environment() {
        return System.getenv();
    }

    /** Where this user's downloaded weights go; {@code -Ddit.weights} says otherwise. */
    public static Path weightsFolder() {
        return Machine.folder(
                "dit.weights", "XDG_DATA_HOME", "Library/Application Support", ".local/share", "tornado-dit/weights");
    }

    /** Weights that are on this machine; {@code -Ddit.hub.cache} names another cache of the Hugging Face hub. */
    public static WeightsFinder weights() {
        String set = System.getProperty("dit.hub.cache");
        HubCache cache = set != null
                ? new HubCache(Path.of(set))
                : HubCache.of(System.getenv(), Path.of(System.getProperty("user.home", ".")));
        return new WeightsFinder(weightsFolder(), cache);
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
