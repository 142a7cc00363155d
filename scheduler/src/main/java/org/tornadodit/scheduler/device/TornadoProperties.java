package org.tornadodit.scheduler.device;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.MmaForm;
import uk.ac.manchester.tornado.api.TaskGraph;

/**
 * TornadoVM's own settings, which it reads when its first class is loaded. What the user has set stays.
 */
public final class TornadoProperties {
    private static final Logger LOG = System.getLogger(TornadoProperties.class.getName());

    /** A kernel that does not compile would run as sequential Java: wrong for ours, and silently slow. */
    private static final String BAILOUT = "tornado.recover.bailout";

    private static final Map<String, String> SETTINGS = Map.of(
            BAILOUT,
            "False",
            // TornadoVM's cap is 4 GB; what a run needs is compared with the device before it begins.
            "tornado.device.memory",
            "4096GB",
            // Size of an event table that is cleared at every execution of a graph; 32768 by default costs 0.3 ms each.
            "tornado.max.events",
            "256",
            // Room for graphs of more than 45 tasks.
            "tornado.tvm.maxbytecodesize",
            "65536",
            // Looks for @Reduce in every task's method, for which it builds Graal's graph of each: a second of every
            // start.
            "tornado.experimental.reduce",
            "False",
            // OpenCL: the default includes -cl-fast-relaxed-math, whose arithmetic is not float32's.
            "tornado.opencl.compiler.flags",
            "-w");

    private TornadoProperties() {}

    /** Sets what is not set; to be called before TornadoVM's classes are used. */
    public static void apply() {
        SETTINGS.forEach((name, value) -> {
            if (System.getProperty(name) == null) {
                System.setProperty(name, value);
            }
        });
    }

    /**
     * {@link #apply}, and sees that TornadoVM has taken it.
     *
     * @throws IllegalStateException when kernels that do not compile would run as sequential Java: TornadoVM's classes were
     *     used before, or the user asks for it; one line with the JVM's options to give
     */
    static void require() {
        apply();
        refusal(System.getProperty(BAILOUT), bailsOut()).ifPresent(line -> {
            throw new IllegalStateException(line);
        });
    }

    /**
     * Why TornadoVM may not be used.
     *
     * @param set the property's value
     * @param inEffect what TornadoVM has read; null where it does not tell
     */
    static Optional<String> refusal(String set, @Nullable Boolean inEffect) {
        boolean asked = Boolean.parseBoolean(set);
        if (!asked && !Boolean.TRUE.equals(inEffect)) {
            return Optional.empty();
        }
        return Optional.of("TornadoVM would run kernels that do not compile as sequential Java, in silence: "
                + (asked ? BAILOUT + " is " + set : "its classes were used before " + BAILOUT + " was set")
                + "; start Java with " + options());
    }

    /** The options to give to the JVM, in one line. */
    static String options() {
        return new TreeMap<>(SETTINGS)
                .entrySet().stream()
                        .map(each -> "-D" + each.getKey() + "=" + each.getValue())
                        .collect(Collectors.joining(" "));
    }

    /** What TornadoVM has read of the property; null where it cannot be asked. Its runtime is no part of its API. */
    private static @Nullable Boolean bailsOut() {
        try {
            ModuleLayer layer = TaskGraph.class.getModule().getLayer();
            Module runtime =
                    layer == null ? null : layer.findModule("tornado.runtime").orElse(null);
            Class<?> options = runtime == null
                    ? null
                    : Class.forName(runtime, "uk.ac.manchester.tornado.runtime.common.TornadoOptions");
            return options == null
                    ? null
                    : (Boolean) options.getField("RECOVER_BAILOUT").get(null);
        } catch (ReflectiveOperationException | ClassCastException | LinkageError other) {
            LOG.log(Level.DEBUG, "TornadoVM does not tell " + BAILOUT, other);
            return null;
        }
    }

    /** All of TornadoVM's settings that are set, in alphabetical order: they decide what it makes of a kernel. */
    public static String all() {
        return System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("tornado."))
                .sorted()
                .map(name -> name + "=" + System.getProperty(name))
                .collect(Collectors.joining(" "));
    }

    /** For tests: the tensor cores' instructions of an earlier generation, in place of the device's own. */
    public static final String MMA_FORM = "dit.mma";

    /** What {@link #MMA_FORM} asks for. */
    public static Optional<MmaForm> mmaForm() {
        return Optional.ofNullable(System.getProperty(MMA_FORM))
                .map(form -> MmaForm.valueOf(form.toUpperCase(Locale.ROOT)));
    }

    /** For tests: {@link #THROUGH_HOST} has devices exchange through the host's memory though they reach each other's. */
    public static final String PEERS = "dit.peers";

    /** See {@link #PEERS}. */
    public static final String THROUGH_HOST = "host";

    /** Whether {@link #PEERS} asks for it. */
    static boolean peersThroughHost() {
        return THROUGH_HOST.equals(System.getProperty(PEERS));
    }
}
