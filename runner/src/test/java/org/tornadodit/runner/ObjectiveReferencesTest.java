package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.io.file.JsonConfig;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.runner.terminal.ExitCode;

/**
 * Samples what PyTorch sampled of tiny SiT, REPA, MeanFlow and DiT models (make_objective_references.py), through the
 * command line; the files tell what they are.
 */
class ObjectiveReferencesTest {
    private static final Path DATA = CommandLineRun.ROOT.resolve("reference/data");
    private static final Path OBJECTIVES = DATA.resolve("objectives");

    /** Measured: 9e-8 to 3.1e-7; the DiT with an interval 3.9e-7 and 4.9e-7. */
    private static final double LATENTS_BOUND = 1e-6;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    static Stream<String> runs() throws IOException {
        try (Stream<Path> files = Files.walk(OBJECTIVES, 2)) {
            return files
                    .filter(path -> Files.exists(path.resolve("latents.npy"))
                            && !path.toString().contains("dopri5"))
                    .map(path -> OBJECTIVES.relativize(path).toString().replace('\\', '/'))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("runs")
    void equalsPyTorch(String run) throws IOException {
        JsonConfig made = JsonConfig.read(OBJECTIVES.resolve(run).resolve("manifest.json"));
        String model = made.text("model");
        Path latents = folder.resolve("latents.npy");
        List<Object> options = new ArrayList<>(List.of(
                "--sampler", made.text("sampler"),
                "--num-sampling-steps", made.integer("steps"),
                "--cfg-scale", made.number("cfg_scale"),
                "--cfg-channels", made.text("cfg_channels"),
                "--guidance-low", made.number("guidance_low"),
                "--guidance-high", made.number("guidance_high"),
                "--save-latents", latents));
        if (model.startsWith("sit")) { // DiT's names and shapes
            options.addAll(List.of("--objective", "sit"));
        }
        CommandLineRun sampled = sample(model, options);
        assertEquals(ExitCode.DONE, sampled.exitCode(), sampled.err());
        if (!model.equals("dit")) {
            String title = model.startsWith("sit") ? "SiT" : model.startsWith("repa") ? "REPA" : "MeanFlow";
            assertTrue(sampled.err().contains("a " + title + " model, "), sampled.err());
        }
        TensorAssert.assertRelativeError(
                run,
                NpyFile.read(latents).shape(),
                NpyFile.read(latents).floats(),
                NpyFile.read(OBJECTIVES.resolve(run).resolve("latents.npy")).floats(),
                Math.max(LATENTS_BOUND, 4 * made.number("float64_distance")));
    }

    /** What the models' publishers sample with; the checkpoints' own file names are all alike. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "sit;250 Euler-Maruyama, guidance 4 on 3 channels, ",
                "repa;250 Euler-Maruyama, guidance 1.8 on all channels while the noise is 0 to 0.7, ",
                "meanflow;1 MeanFlow, guidance 1 on all channels, ",
                "dit;250 DDPM, guidance 4 on 3 channels, "
            })
    void takesTheModelsOwnDefaults(String words) {
        String[] parts = words.split(";");
        List<Object> options =
                parts[0].equals("sit") ? List.of("--dry-run", "--objective", "sit") : List.of("--dry-run");
        CommandLineRun run = sample(parts[0], options);
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertTrue(run.out().contains("steps    " + parts[1]), run.out());
        if (parts[0].equals("repa")) {
            assertTrue(
                    run.out()
                            .contains("left out, no part of the model: projectors.0.0.weight, projectors.0.0.bias,"
                                    + " projectors.0.2.weight and 3 more"),
                    run.out());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "repa;--sampler ddpm;sampler ddpm is not for REPA models, which take euler-maruyama, euler, heun",
                "dit;--sampler heun;sampler heun is not for DiT models, which take ddpm, ddim, dpm++",
                "meanflow;--num-sampling-steps ddim50;sampling steps 'ddim50': meanflow takes a number like 1",
                "repa;--guidance-low 0.8 --guidance-high 0.3;guidance from 0.8 to 0.3: expected 0 <= low <= high <= 1",
                "repa;--objective flow;--objective is \"flow\", expected dit, sit, repa or meanflow",
                "sit;--objective sit --num-sampling-steps 1;1 sampling steps: euler-maruyama takes 2 to 100000 with"
                        + " SiT models"
            })
    void refusesWhatDoesNotSuitTheModel(String words) {
        String[] parts = words.split(";");
        CommandLineRun run = sample(parts[0], List.of((Object[]) parts[1].split(" ")));
        assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
        assertTrue(run.err().contains(parts[2]), run.err());
    }

    private CommandLineRun sample(String model, List<Object> more) {
        Path files = OBJECTIVES.resolve(model);
        Path checkpoint = files.resolve(model.equals("dit") ? "checkpoint.safetensors" : "checkpoint.pt");
        List<Object> words = new ArrayList<>(List.of(
                "sample",
                "--device",
                "cpu",
                "--model",
                files.resolve("config.json"),
                "--ckpt",
                checkpoint,
                "--vae",
                DATA.resolve("vae-tiny"),
                "--rng",
                "cpu",
                "--class-labels",
                "0,3,5,1",
                "--output",
                folder.resolve("sample.png"),
                "--quiet"));
        words.addAll(more);
        return CommandLineRun.of(words.toArray());
    }
}
