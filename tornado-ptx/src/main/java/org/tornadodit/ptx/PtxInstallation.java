package org.tornadodit.ptx;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.module.ResolvedModule;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tornadodit.kernels.ptx.Installation;

/** Installs where the JVM, TornadoVM and the GPUs are those that we know. */
public final class PtxInstallation implements Installation {

    private static final String SDK_VERSION = "5.2.0-jdk25";
    private static final String GRAAL_VERSION = "25.0.2";

    /** Compute capability 7.0: Volta, the first with tensor cores. */
    private static final int LEAST_MAJOR = 7;

    /** Once in a JVM, like TornadoVM's own runtime, whoever asks. */
    private static final class Once {
        static final Outcome OUTCOME = attempt();
    }

    @Override
    public Outcome install() {
        return Once.OUTCOME;
    }

    private static Outcome attempt() {
        Optional<String> problem = problem();
        if (problem.isPresent()) {
            return new Refused(problem.get());
        }
        try {
            return PtxBackend.install(LEAST_MAJOR);
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            return new Refused("TornadoVM's internals are not the known ones: " + e);
        }
    }

    /** Why TornadoVM's internals cannot be used; empty when they can. */
    static Optional<String> problem() {
        ModuleLayer layer = ModuleLayer.boot();
        if (layer.findModule("tornado.runtime").isEmpty()) {
            return Optional.of("TornadoVM is not in this JVM");
        }
        if (layer.findModule("tornado.drivers.ptx").isEmpty()) {
            return Optional.of("TornadoVM runs without its PTX backend");
        }
        for (Map.Entry<String, String> wanted : Map.of(
                        "tornado.drivers.ptx",
                        SDK_VERSION,
                        "tornado.runtime",
                        SDK_VERSION,
                        "jdk.graal.compiler",
                        GRAAL_VERSION)
                .entrySet()) {
            String file = file(layer, wanted.getKey());
            if (!file.endsWith("-" + wanted.getValue() + ".jar")) {
                return Optional.of(
                        "module " + wanted.getKey() + " is " + file + ", expected version " + wanted.getValue());
            }
        }
        for (String flag : jvmFlags()) {
            if (!isSet(layer, flag)) {
                return Optional.of("the JVM runs without " + flag + "; start it with ./dit");
            }
        }
        return Optional.empty();
    }

    /** Names of the modules' files that decide what becomes of a kernel. */
    static String compilers() {
        ModuleLayer layer = ModuleLayer.boot();
        return String.join(
                " ",
                file(layer, "tornado.drivers.ptx"),
                file(layer, "tornado.runtime"),
                file(layer, "jdk.graal.compiler"));
    }

    private static String file(ModuleLayer layer, String module) {
        return layer.configuration()
                .findModule(module)
                .map(ResolvedModule::reference)
                .flatMap(reference -> reference.location())
                .map(URI::toString)
                .orElse("of an unknown place");
    }

    /** What the JVM must be started with, besides TornadoVM's own arguments. */
    static List<String> jvmFlags() {
        try (InputStream in = PtxInstallation.class.getResourceAsStream("jvm-flags")) {
            if (in == null) {
                throw new IllegalStateException("tornado-ptx lacks its list of JVM flags");
            }
            List<String> flags = new ArrayList<>();
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                if (line.startsWith("--add-")) {
                    flags.add(line.strip());
                }
            }
            return flags;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @param flag {@code --add-exports=MODULE/PACKAGE=ALL-UNNAMED}, or {@code --add-opens} */
    private static boolean isSet(ModuleLayer layer, String flag) {
        int equals = flag.indexOf('=');
        int slash = flag.indexOf('/');
        String name = flag.substring(equals + 1, slash);
        String packageName = flag.substring(slash + 1, flag.lastIndexOf('='));
        Module ours = PtxInstallation.class.getModule();
        return layer.findModule(name)
                .map(module -> flag.startsWith("--add-opens=")
                        ? module.isOpen(packageName, ours)
                        : module.isExported(packageName, ours))
                .orElse(false);
    }
}
