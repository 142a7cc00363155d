package org.tornadodit.kernels.ptx.tutorial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What docs/tutorial.md shows is in the programs that run. */
class TutorialTextTest {
    private static final Path DOCS =
            Path.of(System.getProperty("dit.root", "..")).resolve("docs");

    /** A link to a step's program, or a block of code. */
    private static final Pattern PART =
            Pattern.compile("\\]\\((\\S*/Step\\d\\w+\\.java)\\)|```java\n(.*?)```", Pattern.DOTALL);

    @Test
    void codeIsThatOfTheStepAboveIt() throws IOException {
        String program = "";
        Set<String> steps = new HashSet<>();
        int blocks = 0;
        Matcher parts = PART.matcher(Files.readString(DOCS.resolve("tutorial.md")));
        while (parts.find()) {
            if (parts.group(1) != null) {
                program = Files.readString(DOCS.resolve(parts.group(1)));
                steps.add(parts.group(1));
            } else {
                String code = parts.group(2);
                assertTrue(program.contains(code), "not in the program of its step:\n" + code);
                blocks++;
            }
        }
        assertEquals(7, steps.size());
        assertEquals(7, blocks);
    }
}
