package org.tornadodit.runner.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.model.metrics.PictureFormat;
import org.tornadodit.runner.CommandLineRun;
import org.tornadodit.runner.output.PictureOutput;
import org.tornadodit.runner.terminal.ExitCode;

/** Pictures in a folder, each by itself, and grids of any width. */
class RunFilesTest {
    private static final int SIZE = 16;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private TinyModelFiles model;

    @BeforeEach
    void write() throws IOException {
        model = TinyModelFiles.write(folder);
    }

    @Test
    void aFolderTakesEachPictureByItself() throws IOException {
        CommandLineRun grid = sample("--nrow", 2, "-o", folder.resolve("grid.png"), "--batches", 2);
        assertEquals(ExitCode.DONE, grid.exitCode(), grid.err());
        String pictures = folder.resolve("pictures") + "/";
        CommandLineRun single = sample("-o", pictures, "--batches", 2, "--preview", 1, "--checkpoint-steps", 1);
        assertEquals(ExitCode.DONE, single.exitCode(), single.err());
        List<String> names = List.of("0_4.png", "1_1.png", "2_4.png", "3_4.png", "4_1.png", "5_4.png");
        assertEquals(names, names(folder.resolve("pictures")), "neither previews nor states are left");
        assertEquals(
                names.stream().map(name -> pictures + name).toList(),
                single.out().lines().filter(line -> line.endsWith(".png")).toList());
        for (int picture = 0; picture < 6; picture++) {
            BufferedImage whole =
                    ImageIO.read(folder.resolve("grid_" + picture / 3 + ".png").toFile());
            assertEquals(2 * (SIZE + 2) + 2, whole.getWidth());
            assertEquals(2 * (SIZE + 2) + 2, whole.getHeight());
            int place = picture % 3;
            assertArrayEquals(
                    pixels(whole.getSubimage(place % 2 * (SIZE + 2) + 2, place / 2 * (SIZE + 2) + 2, SIZE, SIZE)),
                    pixels(ImageIO.read(Path.of(pictures, names.get(picture)).toFile())),
                    names.get(picture));
        }
    }

    @Test
    void namesAreInOrderAndPlain() {
        RunFiles files = new RunFiles(PictureOutput.of(folder.toString()), PictureFormat.PNG, null, 4, 4);
        assertTrue(files.output().folder(), "an existing folder needs no slash");
        List<String> classes = List.of("ice cream", "A/../b", "x".repeat(300));
        assertEquals(
                Stream.of("03_ice-cream.png", "04_a-b.png", "05_" + "x".repeat(60) + ".png")
                        .map(folder::resolve)
                        .toList(),
                files.pictures(1, classes));
        assertEquals(folder.resolve("00_ice-cream.png") + " to 11_" + "x".repeat(60) + ".png", files.inWords(classes));
    }

    @Test
    void aDryRunMakesNoFolder() {
        CommandLineRun dry = sample(
                "--dry-run", "-o", folder.resolve("new") + "/", "--save-latents", folder.resolve("new/latents.npy"));
        assertEquals(ExitCode.DONE, dry.exitCode(), dry.err());
        assertTrue(dry.out().contains("output   " + folder.resolve("new/0_4.png") + " to 2_4.png"), dry.out());
        assertTrue(Files.notExists(folder.resolve("new")));
    }

    @Test
    void refusesFoldersThatCannotTakeThePictures() throws IOException {
        Files.createDirectory(folder.resolve("1_1.png"));
        refused("it is a folder", "-o", folder);
        refused("create it first", "-o", folder.resolve("a/b") + "/");
        refused("it is no folder", "-o", folder.resolve("tiny.json") + "/");
    }

    @Test
    void refusesRowsWithoutEffect() {
        usage("--nrow has no effect with -o", "-o", folder, "--nrow", 2);
        usage("--nrow is 0", "--nrow", 0);
        usage("'-o': it is empty", "-o=");
    }

    private void refused(String message, Object... options) {
        for (List<String> dry : List.of(List.<String>of(), List.of("--dry-run"))) {
            CommandLineRun run =
                    sample(Stream.concat(dry.stream(), Stream.of(options)).toArray());
            assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
            assertTrue(run.err().contains(message), run.err());
        }
    }

    private void usage(String message, Object... options) {
        CommandLineRun run = sample(options);
        assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
        assertTrue(run.err().contains(message), run.err());
    }

    private CommandLineRun sample(Object... options) {
        List<Object> words =
                model.sample("--device", "cpu", "--num-sampling-steps", "2", "--class-labels", "4,1,4", "--threads", 1);
        words.addAll(List.of(options));
        return CommandLineRun.of(words.toArray());
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static int[] pixels(BufferedImage picture) {
        return picture.getRGB(0, 0, picture.getWidth(), picture.getHeight(), null, 0, picture.getWidth());
    }
}
