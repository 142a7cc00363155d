package org.tornadodit.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.TaskGraph;

/** Whatever compiles against tornado-host compiles against TornadoVM, and links with it. */
class ConformanceTest {
    private static final String VERSION = "5.2.0-jdk25";

    @Test
    void everyPublicSignatureIsTornadoVMsOwn() throws Exception {
        String home = System.getenv("TORNADOVM_HOME");
        assumeTrue(home != null, "TORNADOVM_HOME is not set: the API is not compared with an SDK's");
        Path jar = Path.of(home, "share", "java", "tornado", "tornado-api-" + VERSION + ".jar");
        assumeTrue(Files.exists(jar), "there is no " + jar + ": the API is not compared with an SDK's");
        List<String> differences = new ArrayList<>();
        int compared = 0;
        try (URLClassLoader sdk =
                new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
            for (String name : sliceClasses()) {
                Class<?> ours = Class.forName(name);
                if (!java.lang.reflect.Modifier.isPublic(ours.getModifiers())) {
                    continue;
                }
                try {
                    differences.addAll(ApiComparison.missing(ours, Class.forName(name, false, sdk)));
                } catch (ClassNotFoundException e) {
                    differences.add(name + ": no such class");
                }
                compared++;
            }
        }
        assertTrue(compared > 60, "only " + compared + " classes were compared");
        assertEquals("", String.join("\n", differences));
    }

    private static List<String> sliceClasses() throws IOException {
        Path classes = classesFolder();
        try (Stream<Path> files = Files.walk(classes.resolve("uk"))) {
            return files.map(file -> classes.relativize(file).toString())
                    .filter(file -> file.endsWith(".class") && !file.endsWith("package-info.class"))
                    .map(file -> file.substring(0, file.length() - ".class".length())
                            .replace('/', '.')
                            .replace('\\', '.'))
                    .sorted()
                    .toList();
        }
    }

    private static Path classesFolder() {
        try {
            return Path.of(TaskGraph.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (java.net.URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A small API, for {@link #differencesAreFound()}. */
    public static class Ours {
        public static final int MODE = 1;

        public final Integer id = 0;

        public void same(int a) {}

        public void otherParameter(int a) {}

        public int otherResult() {
            return 0;
        }

        public void extra() throws IOException {}
    }

    /** The same with differences. */
    public static class Theirs {
        public static final int MODE = 2;

        public final Integer id = 0;

        public void same(int a) {}

        public void otherParameter(long a) {}

        public long otherResult() {
            return 0;
        }
    }

    @Test
    void differencesAreFound() {
        String name = Ours.class.getName();
        assertEquals(
                List.of(
                        name + ": int otherResult<0>() throws ",
                        name + ": static final int MODE = 1",
                        name + ": void extra<0>() throws java.io.IOException",
                        name + ": void otherParameter<0>(int) throws "),
                ApiComparison.missing(Ours.class, Theirs.class));
    }
}
