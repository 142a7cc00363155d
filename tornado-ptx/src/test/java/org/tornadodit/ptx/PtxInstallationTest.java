package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.ptx.Installation;

/** Without TornadoVM the installation is refused, in words. */
class PtxInstallationTest {

    private static final Pattern PACKAGE = Pattern.compile("(jdk/(?:graal|vm/ci)(?:/[a-z]+)+)/[A-Z]");

    @Test
    void isFoundAndRefusedWithoutTornado() {
        Installation.Outcome outcome = Installation.installFromClassPath();
        assertEquals("refused: TornadoVM is not in this JVM", outcome.toString());
    }

    @Test
    void theSecondCallGivesTheFirstOnesOutcome() {
        assertSame(new PtxInstallation().install(), new PtxInstallation().install());
    }

    /** A package that is not exported shows when the first kernel that needs it is compiled, on a GPU. */
    @Test
    void everyPackageOfTheCompilerIsExported() throws Exception {
        Set<String> used = new TreeSet<>();
        Path classes = Path.of(PtxInstallation.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (Stream<Path> files = Files.list(classes.resolve("org/tornadodit/ptx"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".class")).toList()) {
                for (PoolEntry entry : ClassFile.of().parse(file).constantPool()) {
                    if (entry instanceof Utf8Entry text) {
                        PACKAGE.matcher(text.stringValue())
                                .results()
                                .map(match -> match.group(1).replace('/', '.'))
                                .forEach(used::add);
                    }
                }
            }
        }
        Set<String> exported = new TreeSet<>();
        for (String flag : PtxInstallation.jvmFlags()) {
            if (flag.startsWith("--add-exports=")) {
                exported.add(flag.substring(flag.indexOf('/') + 1, flag.lastIndexOf('=')));
            }
        }
        assertEquals(String.join("\n", used), String.join("\n", exported));
    }

    @Test
    void flagsNameAModuleAndAPackage() {
        List<String> flags = PtxInstallation.jvmFlags();
        assertTrue(flags.size() > 20, flags.toString());
        for (String flag : flags) {
            assertTrue(flag.matches("--add-(exports|opens)=[a-z.]+/[a-z.]+=ALL-UNNAMED"), flag);
        }
    }

    /** Kernels copy whole lines of the caches only where arrays begin with one. */
    @Test
    void elementsBeginWithALineOfTheCaches() throws Exception {
        try (InputStream in = PtxInstallation.class.getResourceAsStream("jvm-flags")) {
            Matcher header = Pattern.compile("(?m)^-Dtornado\\.panama\\.objectHeader=(\\d+)$")
                    .matcher(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            assertTrue(header.find());
            assertEquals(0, Integer.parseInt(header.group(1)) % 128, header.group());
        }
    }
}
