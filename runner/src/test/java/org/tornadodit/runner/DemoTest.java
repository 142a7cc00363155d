package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.runner.terminal.ExitCode;

/** The demo model, fifty steps, against PyTorch on an NVIDIA GPU (strict float32): sampled once, judged by evaluate. */
class DemoTest {
    private static final Path REFERENCE = CommandLineRun.ROOT.resolve("reference/data/demo");

    /** Float32 in another order of summation over fifty steps: 1.4e-6 measured. PyTorch's own TF32 run is 5e-4 off. */
    private static final double LATENTS_BOUND = 6e-6;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    @SuppressWarnings("NullAway.Init") // set before the tests
    private static CommandLineRun run;

    @BeforeAll
    static void sample() {
        run = CommandLineRun.of(
                "sample",
                "--model",
                "demo",
                "--num-sampling-steps",
                "50",
                "--save-latents",
                folder.resolve("latents.npy"),
                "--output",
                folder.resolve("sample.png"),
                "--quiet");
    }

    @Test
    void latentsEqualPyTorchs() {
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        TensorAssert.assertRelativeError(
                "demo.latents",
                Shape.of(8, 4, 16, 16),
                NpyFile.read(folder.resolve("latents.npy")).floats(),
                NpyFile.read(REFERENCE.resolve("steps-50.latents.npy")).floats(),
                LATENTS_BOUND);
    }

    @Test
    void thePictureKeepsTheStrictGates() {
        CommandLineRun judged = CommandLineRun.of(
                "evaluate", REFERENCE.resolve("steps-50.png"), folder.resolve("sample.png"), "--gates", "strict");
        System.out.println(judged.out());
        assertEquals(ExitCode.DONE, judged.exitCode(), judged.err());
        assertTrue(judged.err().contains("all strict gates hold, without LPIPS"), judged.err());
    }

    @Test
    void thePictureOfMoreStepsDoesNot() {
        CommandLineRun judged = CommandLineRun.of(
                "evaluate", REFERENCE.resolve("steps-250.png"), folder.resolve("sample.png"), "--gates", "strict");
        assertEquals(ExitCode.GATE_FAILED, judged.exitCode(), judged.err());
        assertTrue(judged.err().contains("sample.png: mean absolute difference"), judged.err());
        assertTrue(judged.err().contains("at most 0.01: over by"), judged.err());
    }

    /** The picture in the README is what {@code ./dit demo} makes; another processor may round a few levels otherwise. */
    @Test
    void thePictureInTheReadmeIsThisOne() {
        Path shown = CommandLineRun.ROOT.resolve("docs/images/demo.png");
        CommandLineRun judged = CommandLineRun.of("evaluate", shown, folder.resolve("sample.png"), "--gates", "strict");
        assertEquals(ExitCode.DONE, judged.exitCode(), judged.err());
    }

    /** All but the version, which is that of when it was made. */
    @Test
    void thePictureInTheReadmeTellsTheSame() throws IOException {
        PictureFacts shown = PictureFacts.read(CommandLineRun.ROOT.resolve("docs/images/demo.png"))
                .orElseThrow();
        PictureFacts made = PictureFacts.read(folder.resolve("sample.png")).orElseThrow();
        assertEquals(
                List.copyOf(made.facts().entrySet()), List.copyOf(shown.facts().entrySet()), "also in this order");
        assertEquals(made.description(), shown.description());
    }

    @Test
    void knowsItsClassesByName() throws IOException {
        CommandLineRun plan = CommandLineRun.of(
                "sample",
                "--model",
                "demo",
                "--class-labels",
                "Ice-Cream,0,birthday cake,ufo",
                "--dry-run",
                "--output",
                folder.resolve("none.png"));
        assertEquals(ExitCode.DONE, plan.exitCode(), plan.err());
        assertTrue(plan.out().contains("labels   ice cream, dog, birthday cake, ufo"), plan.out());
        assertTrue(Files.notExists(folder.resolve("none.png")));
    }
}
