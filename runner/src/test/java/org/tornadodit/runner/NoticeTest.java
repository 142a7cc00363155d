package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.model.JavaHeap;
import org.tornadodit.scheduler.engine.Engine;

/** What ships says whose it is. */
class NoticeTest {
    /** A library of lib/ as NOTICE names it: group, artifact, licence. */
    private static final Pattern NAMED = Pattern.compile(
            "^- ([a-z0-9.]+):([A-Za-z0-9._-]+), .*; (Apache-2\\.0|MIT|BSD-[23]-Clause)\\b.*", Pattern.MULTILINE);

    /** Maven lists the runtime dependencies there before the tests. */
    private static final Path LIST = CommandLineRun.ROOT.resolve("runner/target/libraries.txt");

    @Test
    void noticeNamesTheLibrariesThatShip() throws IOException {
        assumeTrue(Files.exists(LIST), "Maven makes the list");
        Set<String> shipped = Files.readAllLines(LIST).stream()
                .map(String::strip)
                .filter(line -> line.matches("[a-z0-9.]+:[^:]+:jar:.*"))
                .map(line -> line.replaceAll(":jar:.*", ""))
                .filter(library -> !library.startsWith("org.tornadodit:"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertTrue(shipped.contains("info.picocli:picocli"), shipped.toString());
        Set<String> named = NAMED.matcher(Files.readString(CommandLineRun.ROOT.resolve("NOTICE")))
                .results()
                .map(found -> found.group(1) + ":" + found.group(2))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(shipped, named);
        assertFalse(shipped.stream().anyMatch(library -> library.contains("jmh")), shipped.toString());
    }

    @Test
    void theModulesHoldLicenceAndNotice() throws IOException {
        assumeTrue(Files.exists(LIST), "Maven copies them");
        for (Class<?> one : List.of(Runner.class, Engine.class, OperationShape.class, JavaHeap.class)) {
            String place =
                    one.getProtectionDomain().getCodeSource().getLocation().toString();
            String root = place.endsWith(".jar") ? "jar:" + place + "!/" : place;
            for (String name : List.of("LICENSE", "NOTICE")) {
                try (InputStream stream =
                        URI.create(root + "META-INF/" + name).toURL().openStream()) {
                    String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
                    assertEquals(Files.readString(CommandLineRun.ROOT.resolve(name)), text, place);
                }
            }
        }
    }
}
