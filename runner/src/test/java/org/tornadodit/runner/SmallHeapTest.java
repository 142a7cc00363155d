package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.metrics.PngWriter;
import org.tornadodit.runner.terminal.ExitCode;

/** Processes with little memory: they do what they are asked, or refuse it in a line before they begin. */
class SmallHeapTest {

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    /** In 40 MB, these passed a check and died in the decoder. */
    @Test
    void samplesToTheSameBits() throws Exception {
        List<Object> demo = List.of(
                "sample",
                "--model",
                "demo",
                "--device",
                "cpu",
                "--num-sampling-steps",
                1,
                "--class-labels",
                "0,1,2,3,4,5,6,7",
                "--quiet",
                "--output");
        Path small = folder.resolve("small.png");
        CommandLineRun run = run("40m", with(demo, small));
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        Path large = folder.resolve("large.png");
        assertEquals(
                ExitCode.DONE, CommandLineRun.of(with(demo, large).toArray()).exitCode());
        assertArrayEquals(pixels(large), pixels(small)); // their texts have the versions of a jar and of classes
        assertRefused(run("28m", with(demo, small)), "8 images of 128 x 128 need about ");
    }

    private static int[] pixels(Path png) throws IOException {
        BufferedImage image = ImageIO.read(png.toFile());
        return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    }

    @Test
    void comparesNoImagesThatDoNotFit() throws Exception {
        Path black = black("black.png", 8192, 8192);
        assertRefused(run("100m", List.of("evaluate", black, black)), "8192 x 8192; comparing them takes about ");
    }

    /** By way of 2^46 pixels; the images themselves have 2^26 and 2^20. */
    @Test
    void looksAtSizesBeforeResizing() throws Exception {
        Path wide = black("wide.png", 1 << 26, 1);
        Path high = black("high.png", 1, 1 << 20);
        assertRefused(
                run("60m", List.of("evaluate", wide, high, "--resize")),
                "; resized in width first, it would have more than 67108864 pixels");
    }

    private static List<Object> with(List<Object> arguments, Object last) {
        List<Object> all = new ArrayList<>(arguments);
        all.add(last);
        return all;
    }

    private static void assertRefused(CommandLineRun run, String message) {
        assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
        List<String> lines =
                run.err().lines().filter(line -> !line.startsWith("WARNING")).toList();
        assertEquals(1, lines.size(), run.err());
        assertTrue(lines.getFirst().startsWith("dit: ") && lines.getFirst().contains(message), run.err());
        assertEquals("", run.out());
    }

    private CommandLineRun run(String heap, List<Object> arguments) throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        Process process = new ProcessBuilder(CommandLineRun.command(List.of("-Xmx" + heap), arguments))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            assertTrue(process.waitFor(120, TimeUnit.SECONDS), "it does not end");
        } finally {
            process.destroyForcibly();
        }
        return new CommandLineRun(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /** A black PNG of a bit a pixel: a few KB. */
    private Path black(String name, int width, int height) throws IOException {
        byte[] rows = PngWriter.deflatedZeros((1L + Math.ceilDiv(width, 8)) * height);
        return Files.write(
                folder.resolve(name),
                new PngWriter()
                        .header(width, height, 1, 0)
                        .chunk("IDAT", rows)
                        .chunk("IEND", new byte[0])
                        .bytes());
    }
}
