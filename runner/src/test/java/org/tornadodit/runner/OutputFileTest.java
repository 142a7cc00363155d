package org.tornadodit.runner;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
