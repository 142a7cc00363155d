package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.RgbImage;
import org.tornadodit.runner.terminal.ExitCode;

/** {@code evaluate} against torchmetrics' values, through the command line. */
class EvaluateCommandTest {
    private static final Path METRICS = CommandLineRun.ROOT.resolve("reference/data/metrics");

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    static List<String> pairs() throws IOException {
        return List.copyOf(references().keySet());
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void equalsTorchmetrics(String pair) throws IOException {
        JsonObject expected = references().getAsJsonObject(pair);
        CommandLineRun run =
                CommandLineRun.of("evaluate", baseline(pair), candidate(pair), "--resize", "--format", "json");
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        JsonObject mean = JsonParser.parseString(run.out()).getAsJsonObject().getAsJsonObject("mean");
        assertEquals(number(expected.get("mae")), number(mean.get("mae")), 1e-12);
        double psnr = number(expected.get("psnr"));
        if (Double.isFinite(psnr)) {
            assertEquals(psnr, number(mean.get("psnr")), 1e-6 * psnr + 1e-9);
        } else { // equal images; torchmetrics has 0 / 0 where both are black
            assertEquals(Double.POSITIVE_INFINITY, number(mean.get("psnr")));
        }
        // torchmetrics' own SSIM is float32, with an error of 2e-5. Of two flat images it is 0 / 0: no reference.
        if (expected.has("ssim_float64") && !pair.startsWith("flat-")) {
            double ssim = number(expected.get("ssim_float64"));
            assertEquals(ssim, number(mean.get("ssim")), 1e-6 * Math.abs(ssim) + 1e-9);
        }
        assertTrue(mean.get("lpips").isJsonNull(), "no made-up LPIPS");
        assertTrue(
                run.err().contains("give --lpips-weights a folder with torchvision's vgg16-397923af.pth"), run.err());
    }

    @Test
    void printsTheChallengesLines() {
        CommandLineRun run = CommandLineRun.of("evaluate", baseline("odd-size-53x37"), candidate("odd-size-53x37"));
        assertEquals(
                List.of(
                        "",
                        "=== Image Comparison Metrics ===",
                        "Pixel-wise Mean Absolute Difference: 6.3565",
                        "LPIPS (VGG):                        not measured (needs --lpips-weights)",
                        "PSNR:                              30.10 dB",
                        "SSIM:                              0.8107"),
                run.out().lines().toList());
        CommandLineRun same = CommandLineRun.of("evaluate", baseline("identical"), candidate("identical"));
        assertTrue(same.out().contains("PSNR:                              inf dB\n"), same.out());
    }

    @Test
    void comparesAllImagesOfAFolderAndTheirMean() throws IOException {
        Path candidates = Files.createDirectory(folder.resolve("several"));
        Files.copy(candidate("noise-5"), candidates.resolve("a.png"));
        Files.copy(baseline("noise-5"), candidates.resolve("b.PNG"));
        Files.writeString(candidates.resolve("notes.txt"), "no image");
        CommandLineRun run = CommandLineRun.of("evaluate", baseline("noise-5"), candidates);
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertTrue(
                run.out()
                        .startsWith(candidates.resolve("a.png")
                                + ": mean absolute difference 3.9944, PSNR 34.10 dB, SSIM 0.8472\n"
                                + candidates.resolve("b.PNG")
                                + ": mean absolute difference 0.0000, PSNR inf dB, SSIM 1.0000\n"),
                run.out());
        assertTrue(run.out().contains("Mean Absolute Difference: 1.9972\n"), run.out());
        CommandLineRun byName = CommandLineRun.of("evaluate", candidates, candidates);
        assertTrue(byName.out().contains("PSNR:                              inf dB"), byName.out());
        CommandLineRun strict = CommandLineRun.of("evaluate", baseline("noise-5"), candidates, "--gates", "strict");
        assertEquals(ExitCode.GATE_FAILED, strict.exitCode());
        assertFalse(strict.err().contains("b.PNG"), "only the failing image is named: " + strict.err());
    }

    @Test
    void gatesNameWhatFailsAndByHowMuch() {
        CommandLineRun strict = gated("noise-5", "strict");
        assertEquals(ExitCode.GATE_FAILED, strict.exitCode());
        assertTrue(
                strict.err().contains("noise-5.candidate.png: mean absolute difference 3.994385")
                        && strict.err().contains("at most 0.01: over by 3.984"),
                strict.err());
        assertTrue(strict.err().contains("PSNR in dB 34.09"), strict.err());
        assertTrue(strict.err().contains("SSIM 0.847167, at least 0.99: short by 0.142833"), strict.err());
        assertEquals(ExitCode.DONE, gated("noise-5", "final").exitCode());
        assertEquals(ExitCode.DONE, gated("identical", "strict").exitCode());
        assertEquals(ExitCode.GATE_FAILED, gated("black-white", "final").exitCode());
        JsonObject json = JsonParser.parseString(CommandLineRun.of(
                                "evaluate",
                                baseline("noise-5"),
                                candidate("noise-5"),
                                "--gates",
                                "strict",
                                "--format",
                                "json")
                        .out())
                .getAsJsonObject()
                .getAsJsonObject("gates");
        assertFalse(json.get("hold").getAsBoolean());
        assertEquals(3, json.getAsJsonArray("failures").size());
    }

    @Test
    void drawsTheDifference() throws IOException {
        Path diff = folder.resolve("diff.png");
        CommandLineRun run =
                CommandLineRun.of("evaluate", baseline("off-by-one"), candidate("off-by-one"), "--diff", diff);
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        RgbImage image = ImageFiles.read(baseline("off-by-one"));
        RgbImage picture = ImageFiles.read(diff);
        assertEquals(3 * image.width(), picture.width());
        assertEquals(image.height(), picture.height());
        assertEquals(image.level(3, 4, 1), picture.level(3, 4, 1));
        int shown = picture.level(2 * image.width() + 3, 4, 1);
        assertTrue(shown == 0 || shown == 255, "a difference of one is amplified: " + shown);
    }

    @Test
    void anotherSizeIsAnErrorUnlessResized() {
        CommandLineRun run = CommandLineRun.of("evaluate", baseline("resized-48x40"), candidate("resized-48x40"));
        assertRefused(run, ExitCode.FAILURE, "give --resize");
        assertEquals(
                ExitCode.DONE,
                CommandLineRun.of("evaluate", baseline("resized-48x40"), candidate("resized-48x40"), "--resize")
                        .exitCode());
    }

    @Test
    void whatIsNoImageOfAKnownKindIsRefusedInOneLine() throws IOException {
        Path good = baseline("identical");
        Path text = Files.writeString(folder.resolve("text.png"), "no picture");
        assertRefused(CommandLineRun.of("evaluate", good, text), ExitCode.CHECKPOINT, "text.png");
        assertRefused(
                CommandLineRun.of("evaluate", good, folder.resolve("none.png")), ExitCode.CHECKPOINT, "no such file");
        assertRefused(
                CommandLineRun.of("evaluate", folder.resolve("none.png"), good),
                ExitCode.CHECKPOINT,
                "there is no baseline");
        Path cut = folder.resolve("cut.png");
        byte[] whole = Files.readAllBytes(good);
        Files.write(cut, Arrays.copyOf(whole, whole.length / 2));
        assertRefused(CommandLineRun.of("evaluate", good, cut), ExitCode.CHECKPOINT, "cut.png: damaged image");
        Path deep = folder.resolve("deep.png");
        ImageIO.write(new BufferedImage(64, 64, BufferedImage.TYPE_USHORT_GRAY), "png", deep.toFile());
        assertRefused(CommandLineRun.of("evaluate", good, deep), ExitCode.CHECKPOINT, "16 bits a channel, expected 8");
        Path gif = folder.resolve("moving.gif");
        ImageIO.write(new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_INDEXED), "gif", gif.toFile());
        assertRefused(CommandLineRun.of("evaluate", good, gif), ExitCode.CHECKPOINT, "moving.gif");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertRefused(CommandLineRun.of("evaluate", good, empty), ExitCode.FAILURE, "there is no .png");
    }

    /** Names come from folders that others fill: they forge no lines, drive no terminal and are no walls. */
    @Test
    @DisabledOnOs(OS.WINDOWS) // has no such names
    void namesAreShownOnALineAndExactInJson() throws IOException {
        Path hostile = Files.createDirectory(folder.resolve("hostile"));
        String name = "\u001b[31m\n=== PSNR: 99\u007f " + "x".repeat(200) + ".png";
        Files.copy(candidate("off-by-one"), hostile.resolve("a" + name));
        Files.copy(candidate("off-by-one"), hostile.resolve("b" + name));
        CommandLineRun text = CommandLineRun.of("evaluate", baseline("off-by-one"), hostile, "--gates", "strict");
        CommandLineRun failed = CommandLineRun.of("evaluate", baseline("resized-48x40"), hostile);
        assertEquals(1, failed.err().lines().count(), failed.err());
        for (String printed : List.of(text.out(), text.err(), failed.err())) {
            assertTrue(printed.contains("?[31m?=== PSNR: 99? x"), printed);
            assertTrue(printed.chars().allMatch(c -> c == '\n' || c == '\r' || c >= ' ' && c < 127), printed);
            assertTrue(printed.lines().allMatch(line -> line.length() < 900), printed);
        }
        CommandLineRun json = CommandLineRun.of("evaluate", baseline("off-by-one"), hostile, "--format", "json");
        assertTrue(json.out().chars().allMatch(c -> c == '\n' || c == '\r' || c >= ' ' && c < 127), json.out());
        assertEquals(
                hostile.resolve("a" + name).toString(),
                JsonParser.parseString(json.out())
                        .getAsJsonObject()
                        .getAsJsonArray("images")
                        .get(0)
                        .getAsJsonObject()
                        .get("candidate")
                        .getAsString());
    }

    @Test
    void lpipsWeightsThatAreNoneAreRefused() throws IOException {
        Path good = baseline("identical");
        Path none = folder.resolve("no-weights");
        assertRefused(
                CommandLineRun.of("evaluate", good, good, "--lpips-weights", none), ExitCode.CHECKPOINT, "no-weights");
        Path empty = Files.createDirectory(folder.resolve("weights"));
        assertRefused(
                CommandLineRun.of("evaluate", good, good, "--lpips-weights", empty),
                ExitCode.CHECKPOINT,
                "no .pth, .pt or .safetensors file; expected torchvision's vgg16-397923af.pth");
        assertRefused(
                CommandLineRun.of(
                        "evaluate", good, good, "--lpips-weights", CommandLineRun.ROOT.resolve("demo/dit.pt")),
                ExitCode.CHECKPOINT,
                "no tensor features.0.weight");
    }

    @Test
    void unknownOptionsAndMissingImagesAreUsageErrors() {
        assertRefused(CommandLineRun.of("evaluate", baseline("identical")), ExitCode.USAGE, "CANDIDATE");
        assertRefused(CommandLineRun.of("evaluate", "a.png", "b.png", "--gates", "loose"), ExitCode.USAGE, "--gates");
    }

    private static void assertRefused(CommandLineRun run, int exitCode, String message) {
        assertEquals(exitCode, run.exitCode(), run.err());
        assertTrue(run.err().startsWith("dit: ") && run.err().contains(message), run.err());
        assertTrue(run.err().lines().count() <= (exitCode == ExitCode.USAGE ? 2 : 1), run.err());
        assertEquals("", run.out());
    }

    private static CommandLineRun gated(String pair, String gates) {
        return CommandLineRun.of("evaluate", baseline(pair), candidate(pair), "--gates", gates);
    }

    private static Path baseline(String pair) {
        return METRICS.resolve(pair + ".baseline.png");
    }

    private static Path candidate(String pair) {
        return METRICS.resolve(pair + ".candidate.png");
    }

    private static JsonObject references() throws IOException {
        return JsonParser.parseString(Files.readString(METRICS.resolve("metrics.json")))
                .getAsJsonObject()
                .getAsJsonObject("pairs");
    }

    /** JSON's number, or Python's words for what JSON has none for. */
    private static double number(JsonElement value) {
        return switch (value.getAsString()) {
            case "inf" -> Double.POSITIVE_INFINITY;
            case "-inf" -> Double.NEGATIVE_INFINITY;
            case "nan" -> Double.NaN;
            default -> value.getAsDouble();
        };
    }
}
