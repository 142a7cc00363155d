package org.tornadodit.runner.terminal;

import java.util.Map;
import java.util.stream.Collectors;

/**
 * TornadoVM's own settings, which it reads when its first class is loaded. What the user has set stays.
 */
public final class TornadoProperties {

    private static final Map<String, String> SETTINGS = Map.of(
            // A kernel that does not compile would run as sequential Java: wrong for ours, and silently slow.
            "tornado.recover.bailout", "False",
            // TornadoVM's cap is 4 GB; what a run needs is compared with the device before it begins.
            "tornado.device.memory", "4096GB",
            // Size of an event table that is cleared at every execution of a graph; 32768 by default costs 0.3 ms each.
            "tornado.max.events", "256",
            // Room for graphs of more than 45 tasks.
            "tornado.tvm.maxbytecodesize", "65536",
            // Looks for @Reduce in every task's method, for which it builds Graal's graph of each: a second of every
            // start.
            "tornado.experimental.reduce", "False",
            // OpenCL: the default includes -cl-fast-relaxed-math, whose arithmetic is not float32's.
            "tornado.opencl.compiler.flags", "-w");

    private TornadoProperties() {}

    public static void apply() {
        SETTINGS.forEach((name, value) -> {
            if (System.getProperty(name) == null) {
                System.setProperty(name, value);
            }
        });
    }

    /** All of TornadoVM's settings that are set, in alphabetical order: they decide what it makes of a kernel. */
    public static String all() {
        return System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("tornado."))
                .sorted()
                .map(name -> name + "=" + System.getProperty(name))
                .collect(Collectors.joining(" "));
    }
}
