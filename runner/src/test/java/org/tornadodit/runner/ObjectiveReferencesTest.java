package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.cpu.CpuOptions;
import org.tornadodit.model.cpu.CpuVaeDecoder;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.JsonConfig;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.metrics.Gates;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.ImageMetrics;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.runner.output.ImageGrid;
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

    /** Where guidance is switched in the middle of a step of dopri5, the steps' sizes follow from rounding. */
    private static final String BORDERS = "sit/dopri5-interval";

    /** Of the latents. */
    private static final int SIDE = 8;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    static Stream<String> runs() throws IOException {
        try (Stream<Path> files = Files.walk(OBJECTIVES, 2)) {
            return files
                    .filter(path -> Files.exists(path.resolve("latents.npy")))
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
                "--cfg-scale", made.number("cfg_scale"),
                "--save-latents", latents));
        if (made.number("cfg_scale") != 1) {
            options.addAll(List.of(
                    "--cfg-channels", made.text("cfg_channels"),
                    "--guidance-low", made.number("guidance_low"),
                    "--guidance-high", made.number("guidance_high")));
        }
        if (!made.text("sampler").equals("dopri5")) {
            options.addAll(List.of("--num-sampling-steps", made.integer("steps")));
        }
        options.addAll(choices(run));
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
        if (made.text("sampler").equals("dopri5")) {
            int calls = manifest(run).getAsJsonArray("counts").asList().stream()
                    .mapToInt(sample -> sample.getAsJsonObject().get("calls").getAsInt())
                    .max()
                    .orElseThrow();
            assertTrue(sampled.err().contains("\n" + calls + " steps in "), sampled.err());
        }
        if (!run.equals(BORDERS)) {
            assertPassesTheStrictGates(run);
        }
    }

    /** What the command wrote beside a picture of the reference's latents. */
    private void assertPassesTheStrictGates(String run) throws IOException {
        Path expected = folder.resolve("expected.png");
        float[] latents =
                NpyFile.read(OBJECTIVES.resolve(run).resolve("latents.npy")).floats();
        Path vae = DATA.resolve("vae-tiny");
        VaeConfig config = VaeConfig.fromJson(vae);
        try (Checkpoint weights = Checkpoints.openVae(vae);
                CpuVaeDecoder decoder =
                        new CpuVaeDecoder(config, VaeWeights.load(weights, config), CpuOptions.defaults())) {
            int samples = latents.length / (4 * SIDE * SIDE);
            float[] images = decoder.decode(latents, samples, SIDE, SIDE);
            ImageIO.write(ImageGrid.of(images, samples, SIDE * config.upsampling()), "png", expected.toFile());
        }
        ImageMetrics metrics =
                ImageMetrics.compare(ImageFiles.read(expected), ImageFiles.read(folder.resolve("sample.png")));
        System.out.printf(Locale.ROOT, "%s: %s%n", run, metrics);
        assertEquals(List.of(), Gates.STRICT.failures(metrics, OptionalDouble.empty()), run);
    }

    private static JsonObject manifest(String run) throws IOException {
        return JsonParser.parseString(Files.readString(OBJECTIVES.resolve(run).resolve("manifest.json")))
                .getAsJsonObject();
    }

    /** What differs from the defaults of SiT's program, as options. */
    private static List<Object> choices(String run) throws IOException {
        Map<String, String> options = Map.of(
                "last_step", "--last-step",
                "last", "--last-step-size",
                "form", "--diffusion-form",
                "norm", "--diffusion-norm",
                "rtol", "--rtol");
        List<Object> words = new ArrayList<>();
        JsonObject choices = manifest(run).getAsJsonObject("choices");
        if (choices != null) {
            choices.asMap().forEach((name, value) -> {
                words.add(options.get(name));
                words.add(value.getAsString());
            });
        }
        return words;
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
                "repa;--guidance-low 0.8;guidance from 0.8 to 0.7: expected 0 <= low <= high <= 1",
                "meanflow;--guidance-high 0.5;--guidance-high has no effect without guidance (--cfg-scale 1)",
                "sit;--objective sit --cfg-scale 1 --cfg-channels all;--cfg-channels has no effect without guidance",
                "sit;--objective sit --last-step none --last-step-size 0.1;--last-step-size has no effect with"
                        + " --last-step none; leave one of them out",
                "sit;--objective sit --diffusion-norm 2e6;--diffusion-norm is 2000000.0, expected a number above 0 and"
                        + " up to 1000000",
                "sit;--objective sit --sampler dopri5 --rtol 1;--rtol is 1.0, expected a number above 0 and below 1",
                "repa;--objective flow;--objective is \"flow\", expected dit, sit, repa or meanflow",
                "sit;--objective sit --sampler dopri5 --rtol 0;--rtol is 0.0, expected a number above 0 and below 1",
                "sit;--objective sit --sampler dopri5 --num-sampling-steps 50;--num-sampling-steps has no effect with"
                        + " --sampler dopri5, which takes as many as --atol and --rtol ask for; leave it out",
                "sit;--objective sit --sampler heun --atol 1e-3;--atol has no effect with --sampler heun; leave it out,"
                        + " or give --sampler dopri5",
                "sit;--objective sit --sampler euler --last-step none;--last-step has no effect with --sampler euler",
                "repa;--last-step none;--last-step has no effect with a REPA model; leave it out: it is SiT's",
                "sit;--objective sit --sampler heun-sde --last-step none;--last-step is none: heun-sde would ask for"
                        + " the drift at the end, where it has no value; expected mean, tweedie or euler",
                "sit;--objective sit --last-step-size 1;--last-step-size is 1.0, expected a number above 0 and below 1",
                "sit;--objective sit --last-step twice;--last-step is \"twice\", expected mean, tweedie, euler or none",
                "sit;--objective sit --diffusion-form SBDM;--diffusion-form is \"SBDM\", expected constant, sigma,"
                        + " linear, decreasing or increasing-decreasing",
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
