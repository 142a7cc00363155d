package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.RgbImage;
import org.tornadodit.runner.terminal.ExitCode;

/** Rows of pictures between two classes and two seeds. */
class InterpolationTest {
    private static final int ELEMENTS = 4 * 2 * 2;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private TinyModelFiles model;

    @BeforeEach
    void writeModel() throws IOException {
        model = TinyModelFiles.write(Files.createDirectory(folder.resolve("model")));
    }

    private CommandLineRun run(Object... options) {
        return CommandLineRun.of(Stream.concat(
                        model.sample("--quiet", "--num-sampling-steps", 4, "--sampler", "unipc").stream(),
                        Arrays.stream(options))
                .toArray());
    }

    private float[] latents(Object... options) throws IOException {
        Path file = folder.resolve("latents.npy");
        CommandLineRun run = run(Stream.concat(
                        Arrays.stream(options), Stream.of("--save-latents", file, "-o", folder.resolve("sample.png")))
                .toArray());
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        return NpyFile.read(file).floats();
    }

    private static float[] sample(float[] latents, int sample) {
        return Arrays.copyOfRange(latents, sample * ELEMENTS, (sample + 1) * ELEMENTS);
    }

    @Test
    void theEndsAreThePicturesOfTheirClassesAndSeeds() throws IOException {
        float[] row = latents("--device", "cpu", "--class-labels", "3,1", "--interpolate", 5, "--to-seed", 9);
        RgbImage picture = ImageFiles.read(folder.resolve("sample.png"));
        assertTrue(picture.width() > 4 * picture.height(), picture + " is no row of five");
        assertEquals(5 * ELEMENTS, row.length);
        assertArrayEquals(latents("--device", "cpu", "--class-labels", 3), sample(row, 0));
        assertArrayEquals(latents("--device", "cpu", "--class-labels", 1, "--seed", 9), sample(row, 4));
        double before = 0;
        for (int i = 1; i < 5; i++) {
            double distance = distance(sample(row, 0), sample(row, i));
            assertTrue(distance > before, "picture " + i + " is " + distance + " from the first, after " + before);
            before = distance;
        }
    }

    private static double distance(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return Math.sqrt(sum);
    }

    /** Without --to-seed all start from one noise: two classes that are the same give the same pictures. */
    @Test
    void onlyWhatIsAskedForChanges() throws IOException {
        float[] row = latents("--device", "cpu", "--class-labels", "2", "--interpolate", 3, "--to-seed", 0);
        assertArrayEquals(sample(row, 0), sample(row, 1), 1e-5f);
        float[] labels = latents("--device", "cpu", "--class-labels", "2,4", "--interpolate", 3);
        assertArrayEquals(latents("--device", "cpu", "--class-labels", 4), sample(labels, 2));
        assertTrue(distance(sample(labels, 0), sample(labels, 1)) > 0);
    }

    /** On two devices, whose graphs know of no row: embeddings and starts are weights and states to them. */
    @Test
    void devicesMakeTheSameRow() throws IOException {
        Object[] options = {"--class-labels", "3,1", "--interpolate", 4, "--to-seed", 9, "--rng", "cpu"};
        float[] cpu = latents(Stream.concat(Stream.of("--device", "cpu"), Arrays.stream(options))
                .toArray());
        float[] devices = latents(Stream.concat(Stream.of("--devices", "cpu:2"), Arrays.stream(options))
                .toArray());
        TensorAssert.assertRelativeError("row", Shape.of(4, 4, 2, 2), devices, cpu, 1e-5);
    }

    @Test
    void aRowIsMadeAgainAndGoesOn() throws IOException {
        Path first = folder.resolve("first.png");
        CommandLineRun made =
                run("--device", "cpu", "--class-labels", "3,1", "--interpolate", 3, "--to-seed", -2, "-o", first);
        assertEquals(ExitCode.DONE, made.exitCode(), made.err());
        CommandLineRun shown = CommandLineRun.of("show", first);
        for (String line : List.of("class-labels        3,1", "interpolate         3", "to-seed             -2")) {
            assertTrue(shown.out().lines().anyMatch(line::equals), shown.out());
        }
        Path again = folder.resolve("again.png");
        CommandLineRun run = CommandLineRun.of(model.sample("--quiet", "--device", "cpu", "--like", first, "-o", again)
                .toArray());
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(again));
    }

    /** A row of several lines, also of as many pictures a line as any grid has. */
    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void aRowOfSeveralLinesIsMadeAgain(int perRow) throws IOException {
        Path first = folder.resolve("first.png");
        Object[] options = {"--device", "cpu", "--class-labels", "3,1", "--interpolate", 6, "-o", first};
        CommandLineRun made = run(join(options, "--nrow", perRow));
        assertEquals(ExitCode.DONE, made.exitCode(), made.err());
        Path again = folder.resolve("again.png");
        Object[] like = model.sample("--quiet", "--device", "cpu", "--like", first, "-o", again)
                .toArray();
        assertEquals(ExitCode.DONE, CommandLineRun.of(like).exitCode());
        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(again));

        assertEquals(
                ExitCode.DONE, CommandLineRun.of(join(like, "--interpolate", 5)).exitCode());
        RgbImage row = ImageFiles.read(again);
        assertTrue(row.width() > 4 * row.height(), row + " is no row of five");
    }

    private static Object[] join(Object[] options, Object... more) {
        return Stream.concat(Arrays.stream(options), Arrays.stream(more)).toArray();
    }

    @Test
    void namesWhatIsBetween() {
        CommandLineRun dry = CommandLineRun.of(
                "sample",
                "--model",
                "demo",
                "--device",
                "cpu",
                "--sampler",
                "ddim",
                "--class-labels",
                "fox,panda",
                "--interpolate",
                "4",
                "--dry-run");
        assertEquals(ExitCode.DONE, dry.exitCode(), dry.err());
        assertTrue(dry.out().contains("labels   fox, fox 33% panda, fox 67% panda, panda"), dry.out());
    }

    @Test
    void refusesWhatIsNoRow() {
        refused("--to-seed has no effect without --interpolate N", "--to-seed", 1);
        refused("--interpolate is 1, expected 2 to 4096", "--class-labels", "0,1", "--interpolate", 1);
        refused("of one and --to-seed; there are none", "--interpolate", 4);
        refused("there is 1", "--class-labels", "0", "--interpolate", 4);
        refused("there are 3", "--class-labels", "0,1,2", "--interpolate", 4);
        refused("leave out --batches", "--class-labels", "0,1", "--interpolate", 4, "--batches", 2);
        CommandLineRun noisy = CommandLineRun.of(
                model.sample("--class-labels", "0,1", "--interpolate", 4).toArray());
        assertEquals(ExitCode.USAGE, noisy.exitCode());
        assertTrue(noisy.err().contains("wants a sampler without noise in its steps"), noisy.err());
        assertTrue(noisy.err().contains(": --sampler ddim, dpm++ or unipc"), noisy.err());
        refusedOf("another: leave out --eta", "--sampler", "ddim", "--eta", 0.5);
        refusedOf("another: --sampler euler, heun or dopri5", "--objective", "sit");
        refusedOf("another: --sampler euler or heun", "--objective", "repa");
    }

    private void refusedOf(String words, Object... options) {
        CommandLineRun run = CommandLineRun.of(
                join(model.sample("--class-labels", "0,1", "--interpolate", 4).toArray(), options));
        assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
        assertTrue(run.err().contains(words), run.err());
    }

    private void refused(String words, Object... options) {
        CommandLineRun run = run(options);
        assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
        assertTrue(run.err().contains(words), run.err());
    }
}
