package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.PictureTexts;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.pipeline.Request;
import org.tornadodit.runner.terminal.ExitCode;

/** What pictures tell of what made them, and what is made of it. */
class PictureFactsTest {
    private static final Path DATA = CommandLineRun.ROOT.resolve("reference/data");
    private static final Path SAMPLING = DATA.resolve("sampling");
    private static final List<Object> MODEL = List.of(
            "sample",
            "--model",
            SAMPLING.resolve("config.json"),
            "--ckpt",
            SAMPLING.resolve("checkpoint.pt"),
            "--vae",
            DATA.resolve("vae-tiny"),
            "--device",
            "cpu",
            "--quiet");

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @Test
    void aPictureTellsWhatMadeItAndIsMadeAgain() throws IOException {
        Path first = sampled(
                "first.png",
                "--class-labels",
                "3,random:2",
                "--num-sampling-steps",
                "3",
                "--sampler",
                "UniPCMultistepScheduler",
                "--solver-type",
                "bh1",
                "--cfg-scale",
                "2.5",
                "--seed",
                "-7",
                "--rng",
                "cpu",
                "--nrow",
                "2");
        CommandLineRun shown = CommandLineRun.of("show", first);
        assertEquals(ExitCode.DONE, shown.exitCode(), shown.err());
        for (String line : List.of(
                "version             (not packaged)",
                "model               config.json",
                "image-size          64",
                "num-sampling-steps  3",
                "sampler             unipc",
                "timestep-spacing    linspace",
                "solver-type         bh1",
                "cfg-scale           2.5",
                "cfg-channels        3",
                "seed                -7",
                "rng                 cpu",
                "matmul-precision    highest",
                "nrow                2")) {
            assertTrue(shown.out().lines().anyMatch(line::equals), line + " is not in\n" + shown.out());
        }
        assertTrue(shown.out().lines().anyMatch(line -> line.matches("weights             [0-9a-f]{32}")), shown.out());
        assertTrue(shown.out().lines().anyMatch(line -> line.matches("class-labels        3,\\d,\\d")), shown.out());
        assertFalse(shown.out().contains(SAMPLING.toString()), "where files lie is nobody's business");
        String description = PictureTexts.read(first).get("Description");
        assertTrue(String.valueOf(description).endsWith("; 3 UniPC steps, guidance 2.5, seed -7"), description);

        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(sampled("again.png", "--like", first)));
        Path other = sampled("other.png", "--like=" + first, "--seed", "1");
        assertEquals("1", PictureFacts.read(other).orElseThrow().facts().get("seed"));
        assertEquals("unipc", PictureFacts.read(other).orElseThrow().facts().get("sampler"));
    }

    /** One of a folder, and of a later batch: alone, from its place in the stream of noise. */
    @Test
    void onePictureOfALaterBatchIsMadeAgain() throws IOException {
        Path pictures = folder.resolve("pictures");
        List<Object> words = new ArrayList<>(MODEL);
        words.addAll(
                List.of("--class-labels", "4,1", "--num-sampling-steps", "2", "--batches", "2", "-o", pictures + "/"));
        CommandLineRun run = CommandLineRun.of(words.toArray());
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        Path third = pictures.resolve("3_1.png");
        Map<String, String> facts = PictureFacts.read(third).orElseThrow().facts();
        assertEquals("1", facts.get("skip-batches"));
        assertEquals("1", facts.get("picture"));
        assertArrayEquals(Files.readAllBytes(third), Files.readAllBytes(sampled("again.png", "--like", third)));
        Path grid = sampled("grid.png", "--class-labels", "4,1", "--num-sampling-steps", "2", "--skip-batches", "1");
        assertFalse(ImageFiles.read(grid).equals(ImageFiles.read(third)));
        assertArrayEquals(Files.readAllBytes(grid), Files.readAllBytes(sampled("grid2.png", "--like", grid)));
    }

    /** A WebP has a PNG's pixels and facts, and is made again. */
    @Test
    void aWebpPictureTellsTheSameAndIsMadeAgain() throws IOException {
        String[] options = {"--class-labels", "4,1,2", "--num-sampling-steps", "2", "--sampler", "ddim"};
        Path png = sampled("a.png", options);
        Path webp = sampled("a.webp", options);
        assertArrayEquals(pixels(png), pixels(webp));
        assertEquals(PictureFacts.read(png), PictureFacts.read(webp));
        assertEquals(
                CommandLineRun.of("show", png).out(),
                CommandLineRun.of("show", webp).out());
        assertArrayEquals(Files.readAllBytes(webp), Files.readAllBytes(sampled("again.webp", "--like", webp)));
        assertArrayEquals(Files.readAllBytes(png), Files.readAllBytes(sampled("again.png", "--like", webp)));

        Path pictures = folder.resolve("webp");
        List<Object> words = new ArrayList<>(MODEL);
        words.addAll(List.of(options));
        words.addAll(List.of("--output-format", "webp", "-o", pictures + "/", "--preview", "1"));
        CommandLineRun run = CommandLineRun.of(words.toArray());
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        try (Stream<Path> files = Files.list(pictures)) {
            assertEquals(
                    List.of("0_4.webp", "1_1.webp", "2_2.webp"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
        assertArrayEquals(
                Files.readAllBytes(pictures.resolve("1_1.webp")),
                Files.readAllBytes(sampled("one.webp", "--like", pictures.resolve("1_1.webp"))));
    }

    private static int[] pixels(Path file) throws IOException {
        BufferedImage picture = ImageIO.read(file.toFile());
        return picture.getRGB(0, 0, picture.getWidth(), picture.getHeight(), null, 0, picture.getWidth());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--output x.png --output-format webp;--output-format is webp, and --output x.png is another format's name",
                "--output x.jpg;--output is x.jpg; it is written as PNG or WEBP alone: give a name that ends in .png or"
                        + " .webp",
                "-o x/ --output-format jpeg;\"jpeg\", expected png or webp",
                "-o x.webp --class-labels random:1000;266 x 16502 pixels are more than a WebP picture holds, 16383 a"
                        + " side"
            })
    void refusesWhatIsNoFormatOrDoesNotHold(String words) {
        String[] parts = words.split(";", 2);
        List<Object> command = new ArrayList<>(MODEL);
        command.addAll(List.of(parts[0].split(" ")));
        command.add("--dry-run");
        CommandLineRun run = CommandLineRun.of(command.toArray());
        assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
        assertTrue(run.err().contains(parts[1]), run.err());
    }

    /** The Java API's pictures too, by the same options. */
    @Test
    void aPictureOfTheJavaApiIsMadeAgain() throws IOException {
        Path file = folder.resolve("api.png");
        try (DitPipeline dit = DitPipeline.load(SAMPLING.resolve("checkpoint.pt"), DATA.resolve("vae-tiny"))
                .config(SAMPLING.resolve("config.json"))
                .devices("cpu")
                .notices(line -> {})
                .maxBatch(2)
                .open()) {
            dit.sample(Request.of(2, 5, 1, 4).steps(2).seed(3)).getLast().write(file);
        }
        Path again = sampled("again.png", "--like", file);
        assertEquals(ImageFiles.read(file), ImageFiles.read(again));
        assertEquals(
                PictureFacts.read(file).orElseThrow().facts().get("weights"),
                PictureFacts.read(again).orElseThrow().facts().get("weights"));
    }

    @Test
    void otherWeightsAreSaid() throws IOException {
        Path made = sampled("made.png", "--class-labels", "0", "--num-sampling-steps", "1");
        Map<String, String> texts = new LinkedHashMap<>(PictureTexts.read(made));
        texts.replaceAll(
                (keyword, text) -> text.replaceAll("(?m)^weights: .*", "weights: 0123456789abcdef0123456789abcdef"));
        Path foreign = write("foreign.png", texts);
        List<Object> words = new ArrayList<>(MODEL);
        words.addAll(List.of("--like", foreign, "-o", folder.resolve("x.png")));
        CommandLineRun run = CommandLineRun.of(words.toArray());
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        assertTrue(
                run.err()
                        .contains(
                                "was made with other weights of the DiT (0123456789abcdef0123456789abcdef, these are "),
                run.err());
    }

    /** A file may tell anything: nothing of it names files, drives a terminal or does more than options do. */
    @Test
    void whatAFileTellsIsBounded() throws IOException {
        Path hostile = write(
                "hostile.png",
                new PictureFacts(
                                "1\u001b[2J",
                                "",
                                Map.of(
                                        "model", "/etc/passwd.json",
                                        "output", "/tmp/owned.png",
                                        "class-labels", "$(reboot)",
                                        "seed", "1 --output=/tmp/owned.png",
                                        "sampler", "ddim\u001b]0;x"))
                        .texts());
        CommandLineRun shown = CommandLineRun.of("show", hostile);
        assertEquals(ExitCode.DONE, shown.exitCode(), shown.err());
        assertFalse(shown.out().contains("\u001b"), shown.out());
        CommandLineRun refused = CommandLineRun.of("sample", "--like", hostile, "--dry-run");
        assertEquals(ExitCode.USAGE, refused.exitCode(), refused.err());
        assertTrue(
                refused.err().contains("the model was a file, \"/etc/passwd.json\"; give it by --model"),
                refused.err());
        List<Object> words = new ArrayList<>(MODEL);
        words.addAll(List.of("--like", hostile, "--dry-run", "-o", folder.resolve("x.png")));
        CommandLineRun dry = CommandLineRun.of(words.toArray());
        assertEquals(ExitCode.DONE, dry.exitCode(), dry.err());
        assertTrue(dry.out().contains("noise of seed 0"), dry.out());
        assertTrue(dry.out().contains("250 DDPM"), dry.out());
        assertTrue(dry.out().contains("output   " + folder.resolve("x.png")), dry.out());
    }

    @Test
    void picturesOfOthersAreSaidToTellNothing() throws IOException {
        Path other = write("other.png", Map.of("Author", "some\u001bbody"));
        CommandLineRun shown = CommandLineRun.of("show", other);
        assertEquals(ExitCode.FAILURE, shown.exitCode());
        assertTrue(shown.out().contains("Author              some?body"), shown.out());
        assertTrue(shown.err().contains("the texts are another program's, and does not tell"), shown.err());
        CommandLineRun like = CommandLineRun.of("sample", "--like", other);
        assertEquals(ExitCode.CHECKPOINT, like.exitCode());
        assertTrue(like.err().contains("other.png: the file does not tell what made the picture"), like.err());
        Path none = Files.writeString(folder.resolve("none.png"), "no picture");
        assertEquals(ExitCode.CHECKPOINT, CommandLineRun.of("show", none).exitCode());
        assertEquals(
                ExitCode.CHECKPOINT,
                CommandLineRun.of("show", folder.resolve("absent.png")).exitCode());
    }

    @Test
    void aPictureThatThereIsNotIsRefused() {
        List<Object> words = new ArrayList<>(MODEL);
        words.addAll(List.of("--class-labels", "0,1", "--picture", "2", "--dry-run"));
        CommandLineRun run = CommandLineRun.of(words.toArray());
        assertEquals(ExitCode.USAGE, run.exitCode());
        assertTrue(run.err().contains("--picture is 2, expected 0 to 1: a batch has 2"), run.err());
    }

    private Path sampled(String name, Object... options) {
        Path file = folder.resolve(name);
        List<Object> words = new ArrayList<>(MODEL);
        words.addAll(List.of(options));
        words.addAll(List.of("-o", file));
        CommandLineRun run = CommandLineRun.of(words.toArray());
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        return file;
    }

    private Path write(String name, Map<String, String> texts) throws IOException {
        Path file = folder.resolve(name);
        try (OutputStream out = Files.newOutputStream(file)) {
            ImageFiles.writePng(new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB), texts, out);
        }
        return file;
    }
}
