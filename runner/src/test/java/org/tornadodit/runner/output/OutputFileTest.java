package org.tornadodit.runner.output;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.RgbImage;
import org.tornadodit.runner.CommandLineRun;
import org.tornadodit.runner.Runner;
import org.tornadodit.runner.terminal.ExitCode;

class OutputFileTest {

    private static final Path DATA = CommandLineRun.ROOT.resolve("reference/data");

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @Test
    void refusesAMissingFolderAndAFolderInPlaceOfAFile() {
        IOException missing =
                assertThrows(IOException.class, () -> OutputFile.requireWritable(folder.resolve("no/sample.png")));
        assertTrue(missing.toString().contains("create it first"), missing.toString());
        IOException isFolder = assertThrows(IOException.class, () -> OutputFile.requireWritable(folder));
        assertTrue(isFolder.toString().contains("is a folder"), isFolder.toString());
    }

    @Test
    void probingLeavesNothingBehind() throws IOException {
        OutputFile.requireWritable(folder.resolve("sample.png"));
        assertEquals(List.of(), names());
    }

    private CommandLineRun sample(Object... options) {
        List<Object> words = new ArrayList<>(List.of(
                "sample",
                "--model",
                DATA.resolve("sampling/config.json"),
                "--vae",
                DATA.resolve("vae-tiny"),
                "--device",
                "cpu",
                "--num-sampling-steps",
                "2",
                "--class-labels",
                "3"));
        words.addAll(List.of(options));
        return CommandLineRun.of(words.toArray());
    }

    @Test
    void refusesToWriteOverWhatItReads() throws IOException {
        Path checkpoint = Files.copy(DATA.resolve("sampling/checkpoint.pt"), folder.resolve("x.pt"));
        Path linked = Files.createLink(folder.resolve("hard"), checkpoint);
        byte[] before = Files.readAllBytes(checkpoint);
        for (String option : List.of("--output", "--save-latents")) {
            CommandLineRun run = sample("--ckpt", checkpoint, "--output", folder.resolve("a.png"), option, linked);
            if (option.equals("--output")) {
                run = sample("--ckpt", checkpoint, option, linked);
            }
            assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
            assertTrue(run.err().contains("it is read by this command"), run.err());
        }
        assertArrayEquals(before, Files.readAllBytes(checkpoint));
    }

    @Test
    void keepsFilesThatOnlyHaveAStatesName() throws IOException {
        Path other = Files.writeString(folder.resolve("a.state.safetensors"), "precious");
        CommandLineRun run = sample(
                "--ckpt",
                DATA.resolve("sampling/checkpoint.pt"),
                "--output",
                folder.resolve("a.png"),
                "--checkpoint-steps",
                1);
        assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
        assertTrue(run.err().contains("is no state of a run"), run.err());
        assertEquals("precious", Files.readString(other));
    }

    @Test
    void keepsFilesThatOnlyHaveAPreviewsName() throws IOException {
        Path preview = Files.writeString(folder.resolve("a.preview.png"), "precious");
        Object[] options = {
            "--ckpt", DATA.resolve("sampling/checkpoint.pt"), "--output", folder.resolve("a.png"), "--preview", 1
        };
        CommandLineRun run = sample(options);
        assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
        assertTrue(run.err().contains("is no preview"), run.err());
        assertEquals("precious", Files.readString(preview));
        PreviewFile.delete(preview);
        assertEquals(List.of("a.preview.png"), names());

        Files.delete(preview);
        BufferedImage picture = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
        picture.setRGB(1, 1, 0x123456);
        PreviewFile.write(preview, picture); // as a killed run leaves it
        RgbImage read = ImageFiles.read(preview);
        assertEquals(0x34, read.level(1, 1, 1));
        CommandLineRun next = sample(options);
        assertEquals(ExitCode.DONE, next.exitCode(), next.err());
        assertEquals(List.of("a.png"), names());
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // links want rights there
    void looksAtTheNameOfEveryBatch() throws IOException {
        Files.createSymbolicLink(folder.resolve("a_1.png"), folder.resolve("gone/a.png"));
        CommandLineRun run = sample(
                "--ckpt",
                DATA.resolve("sampling/checkpoint.pt"),
                "--output",
                folder.resolve("a.png"),
                "--batches",
                3,
                "--dry-run");
        assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
        assertTrue(run.err().contains("a_1.png"), run.err());
    }

    @Test
    void recordsAndReportsAreWrittenOverNoInput() throws IOException {
        Path config = Files.copy(DATA.resolve("sampling/config.json"), folder.resolve("config.json"));
        String before = Files.readString(config);
        List<CommandLineRun> runs = List.of(
                CommandLineRun.of("autotune", "--virtual", "--model", config, "--json", config),
                CommandLineRun.of(
                        "bench", "step", "--device", "cpu", "--random-weights", "--model", config, "--json", config),
                CommandLineRun.of("report", folder, "--html", config));
        for (CommandLineRun run : runs) {
            assertEquals(ExitCode.FAILURE, run.exitCode(), run.err());
            assertTrue(run.err().contains("it is read by this command"), run.err());
        }
        assertEquals(before, Files.readString(config));
        Path page = folder.resolve("page");
        CommandLineRun twice = CommandLineRun.of("report", folder, "--html", page, "--markdown", page);
        assertTrue(twice.err().contains("two outputs have the same name"), twice.err());
    }

    @Test
    void aDashIsStdoutWithNothingButThePicture() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exitCode = Runner.run(
                new PrintStream(out, true, UTF_8),
                new PrintStream(err, true, UTF_8),
                "sample --device cpu --num-sampling-steps 2 --class-labels 3 -o - --model DATA/sampling/config.json"
                        .concat(" --ckpt DATA/sampling/checkpoint.pt --vae DATA/vae-tiny")
                        .replace("DATA", DATA.toString())
                        .split(" "));
        assertEquals(ExitCode.DONE, exitCode, err.toString(UTF_8));
        assertTrue(err.toString(UTF_8).contains("Average sampling time"), err.toString(UTF_8));
        Path file = folder.resolve("a.png");
        assertEquals(
                ExitCode.DONE,
                sample("--ckpt", DATA.resolve("sampling/checkpoint.pt"), "-o", file)
                        .exitCode());
        assertArrayEquals(Files.readAllBytes(file), out.toByteArray());
        CommandLineRun several = sample("--ckpt", DATA.resolve("sampling/checkpoint.pt"), "-o", "-", "--batches", 2);
        assertEquals(ExitCode.USAGE, several.exitCode());
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
