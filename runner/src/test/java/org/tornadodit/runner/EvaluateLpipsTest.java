package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.SafetensorsWriter;
import org.tornadodit.model.metrics.HashedVgg;
import org.tornadodit.model.metrics.LpipsWeights;
import org.tornadodit.runner.terminal.ExitCode;

/** {@code evaluate --lpips-weights} against torchmetrics' values, with the VGG16 of metrics.json's hash on disk. */
class EvaluateLpipsTest {
    private static final Path METRICS = CommandLineRun.ROOT.resolve("reference/data/metrics");

    /** Places of VGG16's convolutions in torchvision's {@code features}. */
    private static final int[] FEATURES = {0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28};

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    @SuppressWarnings("NullAway.Init") // set before the tests
    private static Path weights;

    /** Two files, as users have them: torchvision's network and LPIPS' heads. */
    @BeforeAll
    static void writeWeights() throws IOException {
        weights = Files.createDirectory(folder.resolve("weights"));
        LpipsWeights hashed = HashedVgg.weights();
        SafetensorsWriter network = new SafetensorsWriter();
        for (int i = 0; i < FEATURES.length; i++) {
            add(
                    network,
                    "features." + FEATURES[i] + ".weight",
                    hashed.convolutions().get(i).weight());
            add(
                    network,
                    "features." + FEATURES[i] + ".bias",
                    hashed.convolutions().get(i).bias());
        }
        Files.write(weights.resolve("vgg16.safetensors"), network.end());
        SafetensorsWriter heads = new SafetensorsWriter();
        for (int i = 0; i < hashed.heads().size(); i++) {
            add(heads, "lin" + i + ".model.1.weight", hashed.heads().get(i));
        }
        Files.write(weights.resolve("vgg.safetensors"), heads.end());
    }

    private static void add(SafetensorsWriter file, String name, Tensor tensor) {
        file.add(name, tensor.shape(), tensor.toArray());
    }

    /** All pairs that LPIPS is defined for, in one call: two folders, compared by name. */
    @Test
    void equalsTorchmetrics() throws IOException {
        JsonObject pairs = JsonParser.parseString(Files.readString(METRICS.resolve("metrics.json")))
                .getAsJsonObject()
                .getAsJsonObject("pairs");
        Path baselines = Files.createDirectory(folder.resolve("baselines"));
        Path candidates = Files.createDirectory(folder.resolve("candidates"));
        for (String pair : pairs.keySet()) {
            if (pairs.getAsJsonObject(pair).has("lpips_float64")) {
                Files.copy(METRICS.resolve(pair + ".baseline.png"), baselines.resolve(pair + ".png"));
                Files.copy(METRICS.resolve(pair + ".candidate.png"), candidates.resolve(pair + ".png"));
            }
        }
        CommandLineRun run = CommandLineRun.of(
                "evaluate", baselines, candidates, "--resize", "--format", "json", "--lpips-weights", weights);
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        double sum = 0;
        List<JsonElement> images = JsonParser.parseString(run.out())
                .getAsJsonObject()
                .getAsJsonArray("images")
                .asList();
        for (JsonElement image : images) {
            String file = Path.of(image.getAsJsonObject().get("candidate").getAsString())
                    .getFileName()
                    .toString();
            double expected = pairs.getAsJsonObject(file.replace(".png", ""))
                    .get("lpips_float64")
                    .getAsDouble();
            double actual = image.getAsJsonObject().get("lpips").getAsDouble();
            assertEquals(expected, actual, 1e-7 + 1e-5 * expected, file);
            sum += actual;
        }
        assertTrue(images.size() >= 12, images.size() + " pairs");
        double mean = JsonParser.parseString(run.out())
                .getAsJsonObject()
                .getAsJsonObject("mean")
                .get("lpips")
                .getAsDouble();
        assertEquals(sum / images.size(), mean, 1e-12);
    }

    @Test
    void printsTheChallengesFourLinesAndJudgesLpips() {
        Path baseline = METRICS.resolve("shifted.baseline.png");
        Path candidate = METRICS.resolve("shifted.candidate.png");
        CommandLineRun run =
                CommandLineRun.of("evaluate", baseline, candidate, "--lpips-weights", weights, "--gates", "strict");
        assertEquals("""

            === Image Comparison Metrics ===
            Pixel-wise Mean Absolute Difference: 7.8198
            LPIPS (VGG):                        0.0197
            PSNR:                              20.85 dB
            SSIM:                              0.6872
            """, run.out());
        assertEquals(ExitCode.GATE_FAILED, run.exitCode());
        assertTrue(run.err().contains("LPIPS 0.019687, at most 0.01: over by 0.009687"), run.err());
        CommandLineRun same =
                CommandLineRun.of("evaluate", baseline, baseline, "--lpips-weights", weights, "--gates", "strict");
        assertEquals("all strict gates hold\n", same.err());
        assertEquals(ExitCode.DONE, same.exitCode());
    }

    @Test
    void saysWhenAnImageIsTooSmall() {
        CommandLineRun run = CommandLineRun.of(
                "evaluate",
                METRICS.resolve("tiny-8x7.baseline.png"),
                METRICS.resolve("tiny-8x7.candidate.png"),
                "--lpips-weights",
                weights);
        assertEquals(ExitCode.FAILURE, run.exitCode());
        assertTrue(run.err().contains("is 8 x 7, LPIPS needs at least 16 x 16"), run.err());
        assertEquals("", run.out());
    }

    @Test
    void namesTheHeadsWhenTheyAreMissing() {
        Path baseline = METRICS.resolve("identical.baseline.png");
        CommandLineRun run = CommandLineRun.of(
                "evaluate", baseline, baseline, "--lpips-weights", weights.resolve("vgg16.safetensors"));
        assertEquals(ExitCode.CHECKPOINT, run.exitCode());
        assertTrue(run.err().contains("no tensor lin0.model.1.weight"), run.err());
    }
}
