package org.tornadodit.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The examples run on the model in the repository, and the README shows two of them. */
@Execution(ExecutionMode.SAME_THREAD)
class ExamplesTest {
    private static final Path ROOT = Path.of(System.getProperty("dit.root", ".."));
    private static final String DEMO = ROOT.resolve("demo").toString();

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    private interface Program {
        void run() throws Exception;
    }

    private static List<String> output(Program program) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            program.run();
        } finally {
            System.setOut(before);
        }
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private void assertPictures(String... names) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertArrayEquals(
                    Stream.of(names).sorted().toArray(),
                    files.map(file -> file.getFileName().toString())
                            .filter(name -> name.endsWith(".png"))
                            .sorted()
                            .toArray());
        }
        for (String name : names) {
            assertEquals(128, ImageIO.read(folder.resolve(name).toFile()).getWidth(), name);
        }
    }

    @Test
    void tenLines() throws Exception {
        List<String> lines = output(() -> TenLines.main(new String[] {DEMO, folder.toString()}));
        assertEquals(50, lines.size());
        assertTrue(lines.getLast().startsWith("step 50 of 50, 0:00 left"), lines.getLast());
        assertPictures("fox.png", "panda.png");
    }

    @Test
    void watchAndCancel() throws Exception {
        List<String> lines = output(() -> WatchAndCancel.main(new String[] {DEMO, folder.toString(), "4"}));
        assertTrue(lines.contains("starting: reading weights"), lines::toString);
        assertTrue(lines.getLast().matches("the panda: (cancelled|interrupted) .*"), lines.getLast());
        assertPictures("fox.png", "preview-1.png", "preview-2.png", "preview-3.png");
    }

    @Test
    void severalThreads() throws Exception {
        assertEquals(List.of("the same bits: true"), output(() -> SeveralThreads.main(new String[] {DEMO, "3"})));
    }

    @Test
    void imageModelOfLangChain4j() throws Exception {
        ImageModelOfLangChain4j.main(new String[] {DEMO, folder.toString()});
        assertPictures("fox-0.png", "fox-1.png");
    }

    @Test
    void betweenLatents() throws Exception {
        BetweenLatents.main(new String[] {DEMO, folder.toString(), "3"});
        assertPictures("between.png");
        assertTrue(Files.size(folder.resolve("latents.npy")) > 2 * 4 * 16 * 16 * Float.BYTES);
    }

    /** The README's lines are an example's, one after the other. */
    @ParameterizedTest
    @ValueSource(strings = {"TenLines", "ImageModelOfLangChain4j"})
    void theReadmeShowsTenLines(String example) throws IOException {
        String source =
                Files.readString(ROOT.resolve("examples/src/main/java/org/tornadodit/examples/" + example + ".java"));
        String program = String.join("\n", source.lines().map(String::strip).toList());
        List<List<String>> blocks = Pattern.compile("```java\\R(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(ROOT.resolve("README.md")))
                .results()
                .map(block -> block.group(1)
                        .lines()
                        .map(String::strip)
                        .filter(line -> !line.isEmpty() && !line.startsWith("import "))
                        .toList())
                .toList();
        assertEquals(2, blocks.size(), "blocks of Java in the README");
        List<List<String>> own = blocks.stream()
                .filter(block -> program.contains(String.join("\n", block)))
                .toList();
        assertEquals(1, own.size(), () -> "of these, one is to be in " + example + ": " + blocks);
        assertTrue(own.getFirst().size() <= 10, () -> own.getFirst().size() + " lines");
    }
}
