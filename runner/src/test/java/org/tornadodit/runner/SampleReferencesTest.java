package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.RgbImage;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.runner.output.ImageGrid;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.run.CpuEngine;

/** Samples what PyTorch sampled: ten steps of a tiny DiT on the noise of an NVIDIA GPU, through the command line. */
class SampleReferencesTest {
    private static final Path DATA = CommandLineRun.ROOT.resolve("reference/data");
    private static final Path SAMPLING = DATA.resolve("sampling");
    private static final Shape LATENTS = Shape.of(8, 4, 8, 8);
    private static final String LABELS = "0,1,2,3,4,5,0,1";

    /**
     * Ten forward passes of float32 in another order of summation, each fed with the one before, on noise that is up to
     * 1e-6 off. Measured: 1.4e-6 to 2.1e-6; twice that leaves room for vectors of another length.
     */
    private static final double LATENTS_BOUND = 4e-6;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    /** As diffusers samples it; see make_sampler_references.py. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "dpm++-3",
                "dpm++-all",
                "dpm++-unguided",
                "dpm++sde-3",
                "dpm++sde-all",
                "dpm++sde-unguided",
                "unipc-3",
                "unipc-all",
                "unipc-unguided"
            })
    void equalsDiffusersSampler(String run) throws IOException {
        assumeTrue(Files.isDirectory(SAMPLING.resolve(run)), "reference/data/sampling/" + run + " is not made");
        String channels = run.substring(run.indexOf('-') + 1);
        String sampler = run.substring(0, run.indexOf('-'));
        equalsReference(run, sampler, channels);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ddpm-3", "ddpm-all", "ddim-3", "ddim-all"})
    void equalsPyTorch(String run) throws IOException {
        equalsReference(run, run.substring(0, 4), run.substring(5));
    }

    private void equalsReference(String run, String sampler, String channels) throws IOException {
        Path latents = folder.resolve("latents.npy");
        Path output = folder.resolve("sample.png");
        List<Object> options =
                new ArrayList<>(List.of("--sampler", sampler, "--save-latents", latents, "--output", output));
        options.addAll(channels.equals("unguided") ? List.of("--cfg-scale", "1") : List.of("--cfg-channels", channels));
        CommandLineRun sampled = sample(options.toArray());
        assertEquals(ExitCode.DONE, sampled.exitCode(), sampled.err());
        assertTrue(
                sampled.out().startsWith(output + System.lineSeparator() + "Average sampling time: "), sampled.out());
        assertFalse(sampled.out().contains("score"), "the challenge is another model");
        assertEquals(LATENTS, NpyFile.read(latents).shape());
        TensorAssert.assertRelativeError(
                run + ".latents",
                LATENTS,
                NpyFile.read(latents).floats(),
                NpyFile.read(SAMPLING.resolve(run).resolve("latents.npy")).floats(),
                LATENTS_BOUND);
        assertSameLevels(run, ImageFiles.read(SAMPLING.resolve(run).resolve("sample.png")), ImageFiles.read(output));
    }

    /** A level may differ by one where PyTorch's value lies within an ulp or so of the border between two. */
    private static void assertSameLevels(String name, RgbImage expected, RgbImage actual) {
        assertTrue(expected.sameSize(actual), actual + ", expected " + expected);
        int differing = 0;
        for (int i = 0; i < expected.size(); i++) {
            int difference = Math.abs(expected.level(i) - actual.level(i));
            assertTrue(difference <= 1, name + ": level " + i + " differs by " + difference);
            differing += difference;
        }
        System.out.println(name + ".png: " + differing + " of " + expected.size() + " levels differ by one");
        assertTrue(differing <= expected.size() / 2000, name + ": " + differing + " levels differ by one");
    }

    @Test
    void theGridOfPyTorchsImagesIsPyTorchsPng() throws IOException {
        Path reference = SAMPLING.resolve("ddpm-3");
        Path output = folder.resolve("grid.png");
        float[] images = NpyFile.read(reference.resolve("images.npy")).floats();
        ImageIO.write(ImageGrid.of(images, 8, 64), "png", output.toFile());
        assertEquals(ImageFiles.read(reference.resolve("sample.png")), ImageFiles.read(output));
    }

    @Test
    void aSecondBatchGoesOnInTheStreamOfNoise() throws IOException {
        CommandLineRun run = sample(
                "--batches",
                "2",
                "--save-latents",
                folder.resolve("latents.npy"),
                "--output",
                folder.resolve("sample.png"));
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertEquals(List.of("latents_0.npy", "latents_1.npy", "sample_0.png", "sample_1.png"), names());
        assertEquals(
                List.of(
                        folder.resolve("sample_0.png").toString(),
                        folder.resolve("sample_1.png").toString()),
                run.out().lines().limit(2).toList());

        Path checkpoint = SAMPLING.resolve("checkpoint.pt");
        DitConfig config = DitConfig.fromJson(SAMPLING.resolve("config.json"));
        Path vae = DATA.resolve("vae-tiny");
        try (Checkpoint weights = Checkpoints.open(checkpoint);
                Checkpoint vaeWeights = Checkpoints.openVae(vae);
                CpuEngine engine = new CpuEngine(
                        config,
                        DitWeights.load(weights, config),
                        VaeConfig.fromJson(vae),
                        VaeWeights.load(vaeWeights, VaeConfig.fromJson(vae)),
                        1)) {
            SamplingRequest request = new SamplingRequest(
                    List.of(0, 1, 2, 3, 4, 5, 0, 1), SamplingMethod.DDPM.of("10", 0), 4, Guidance.FIRST_THREE);
            NoiseStream noise = TorchRandn.cuda(0);
            float[] first = engine.sample(request, noise, (done, now) -> {});
            assertArrayEquals(
                    first, NpyFile.read(folder.resolve("latents_0.npy")).floats());
            NoiseStream same = TorchRandn.cuda(0);
            engine.sample(request, same, (done, now) -> {});
            float[] expected = NpyFile.read(SAMPLING.resolve("call11.npy")).floats();
            TensorAssert.assertClose(
                    "call11",
                    LATENTS,
                    same.next(expected.length),
                    expected,
                    TensorAssert.Tolerance.absolute(1e-6)); // the chip's sine, see CudaNoise
            float[] second = engine.sample(request, noise, (done, now) -> {});
            assertArrayEquals(
                    second, NpyFile.read(folder.resolve("latents_1.npy")).floats());
            assertFalse(Arrays.equals(first, second));
        }
    }

    @Test
    void theCpusNoiseIsAnother() throws IOException {
        float[] cuda = latents("--rng", "cuda");
        float[] cpu = latents("--rng", "cpu");
        assertFalse(Arrays.equals(cuda, cpu));
        assertArrayEquals(cpu, latents("--rng", "cpu", "--threads", "1"), "threads change nothing");
        assertFalse(Arrays.equals(cpu, latents("--rng", "cpu", "--seed", "1")));
    }

    @Test
    void readsTheSameModelFromADiffusersFolder() throws IOException {
        float[] expected = latents();
        Path pipeline = DATA.resolve("diffusers-dit");
        Path output = folder.resolve("latents-diffusers.npy");
        CommandLineRun run = CommandLineRun.of(
                "sample",
                "--model",
                pipeline.resolve("transformer/config.json"),
                "--ckpt",
                pipeline,
                "--vae",
                DATA.resolve("vae-tiny-bin-old-names"),
                "--num-inference-steps",
                "10",
                "--guidance-scale",
                "4",
                "--class-labels",
                LABELS,
                "--save-latents",
                output,
                "--output",
                folder.resolve("sample.png"),
                "--quiet");
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertArrayEquals(expected, NpyFile.read(output).floats());
    }

    @Test
    void aPreviewChangesNothing() throws IOException {
        Path output = folder.resolve("sample.png");
        float[] expected = latents();
        RgbImage picture = ImageFiles.read(output);
        assertArrayEquals(expected, latents("--preview", "3"));
        assertEquals(picture, ImageFiles.read(output));
        assertEquals(List.of("latents.npy", "sample.png"), names());
        assertEquals(ExitCode.USAGE, sample("--preview", "0").exitCode());
    }

    /** Previews have a name of their own: where it is taken, the run is refused; the picture's is not touched. */
    @Test
    void anUnfinishedPictureHasAnotherName() throws IOException {
        Path taken = Files.createDirectory(folder.resolve("sample.preview.png"));
        CommandLineRun refused = sample("--preview", "3", "--output", folder.resolve("sample.png"));
        assertEquals(ExitCode.FAILURE, refused.exitCode(), refused.err());
        assertTrue(refused.err().contains("cannot write " + taken), refused.err());
        assertEquals(List.of("sample.preview.png"), names());
    }

    @Test
    void aDryRunPrintsThePlanAndWritesNothing() throws IOException {
        CommandLineRun run = sample("--dry-run", "--batches", "3", "--output", folder.resolve("sample.png"));
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        for (String fact : List.of(
                "2 blocks, hidden size 64, 2 heads of 32, patch 2, 6 classes",
                "labels   0, 1, 2, 3, 4, 5, 0, 1",
                "10 DDPM, guidance 4 on 3 channels, cuda noise of seed 0",
                "latents (8, 4, 8, 8), tokens (16, 16, 64), images (8, 3, 64, 64)",
                "3 batches",
                "device   cpu")) {
            assertTrue(run.out().contains(fact), fact + " is not in\n" + run.out());
        }
        assertEquals(List.of(), names());
    }

    private float[] latents(Object... options) throws IOException {
        Path latents = folder.resolve("latents.npy");
        List<Object> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of("--save-latents", latents, "--output", folder.resolve("sample.png")));
        CommandLineRun run = sample(arguments.toArray());
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        return NpyFile.read(latents).floats();
    }

    private static CommandLineRun sample(Object... options) {
        List<Object> arguments = new ArrayList<>(List.of(
                "sample",
                "--model",
                SAMPLING.resolve("config.json"),
                "--ckpt",
                SAMPLING.resolve("checkpoint.pt"),
                "--vae",
                DATA.resolve("vae-tiny"),
                "--num-sampling-steps",
                "10",
                "--class-labels",
                LABELS,
                "--quiet"));
        arguments.addAll(List.of(options));
        return CommandLineRun.of(arguments.toArray());
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
