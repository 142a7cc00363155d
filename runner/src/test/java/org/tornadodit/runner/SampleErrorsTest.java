package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.runner.terminal.ExitCode;

/** Every way to get it wrong: the right exit code, one clear line, no trace, no partial file. */
class SampleErrorsTest {
    private static final Path DEMO = CommandLineRun.ROOT.resolve("demo");

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @Test
    void aTextFileIsNoCheckpoint() throws IOException {
        Path file = Files.writeString(folder.resolve("x.pt"), "these are not the weights you are looking for\n");
        refused(ExitCode.CHECKPOINT, file.toString(), "--ckpt", file);
    }

    @Test
    void aTruncatedZipIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(DEMO.resolve("dit.pt"));
        Path file = Files.write(folder.resolve("x.pt"), Arrays.copyOf(whole, whole.length / 2));
        refused(ExitCode.CHECKPOINT, file.toString(), "--ckpt", file);
    }

    /** Its checksums are compared while the model is loaded. */
    @Test
    void aFlippedBitOfAWeightEndsBeforeAnyPicture() throws IOException {
        byte[] whole = Files.readAllBytes(DEMO.resolve("dit.pt"));
        whole[whole.length / 2] ^= 1;
        Path file = Files.write(folder.resolve("x.pt"), whole);
        refused(ExitCode.CHECKPOINT, "the file is damaged: expected CRC-32", "--ckpt", file);
    }

    @Test
    void aPickleThatCallsOsSystemIsRefusedByName() throws IOException {
        Path proof = folder.resolve("proof");
        Path file = folder.resolve("x.pt");
        try (OutputStream out = Files.newOutputStream(file);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            String command = "touch " + proof;
            String call = "\u0080\u0002cposix\nsystem\nX" + (char) command.length() + "\0\0\0" + command + "\u0085R.";
            byte[] pickle = call.getBytes(StandardCharsets.ISO_8859_1);
            ZipEntry entry = new ZipEntry("x/data.pkl");
            entry.setMethod(ZipEntry.STORED);
            entry.setSize(pickle.length);
            var crc = new CRC32();
            crc.update(pickle);
            entry.setCrc(crc.getValue());
            zip.putNextEntry(entry);
            zip.write(pickle);
            zip.closeEntry();
        }
        refused(ExitCode.CHECKPOINT, "posix.system", "--ckpt", file);
        assertFalse(Files.exists(proof), "the pickle was executed");
    }

    @Test
    void anEndlessSafetensorsHeaderIsRefused() throws IOException {
        ByteBuffer bytes =
                ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(1L << 60);
        Path file = Files.write(folder.resolve("x.safetensors"), bytes.array());
        refused(ExitCode.CHECKPOINT, file.toString(), "--ckpt", file);
    }

    @Test
    void aCheckpointOfADeeperVariantIsRefusedWithWhatIsMissing() {
        refused(
                ExitCode.CHECKPOINT,
                "missing blocks.6.attn.qkv.weight",
                "--model",
                "DiT-S/2",
                "--ckpt",
                DEMO.resolve("dit.pt"),
                "--vae",
                DEMO.resolve("vae"));
    }

    @Test
    void aCheckpointOfAWiderVariantIsRefusedWithBothShapes() throws IOException {
        Path config = Files.writeString(
                folder.resolve("wide.json"),
                Files.readString(DEMO.resolve("config.json"))
                        .replaceAll("\"hidden_size\": *[0-9]+", "\"hidden_size\": 384"));
        refused(
                ExitCode.CHECKPOINT,
                "dit.pt: tensor pos_embed: expected shape (1, 64, 384), found shape (1, 64, 288)",
                "--model",
                config,
                "--ckpt",
                DEMO.resolve("dit.pt"),
                "--vae",
                DEMO.resolve("vae"));
    }

    @Test
    void aMissingVaeIsRefused() {
        refused(ExitCode.CHECKPOINT, "nowhere", "--vae", folder.resolve("nowhere"));
    }

    @Test
    void missingWeightsAreAUsageError() {
        CommandLineRun run = CommandLineRun.of("sample", "--output", folder.resolve("sample.png"));
        assertEquals(ExitCode.USAGE, run.exitCode());
        assertTrue(run.err().contains("--ckpt is missing"), run.err());
    }

    @Test
    void aMissingCheckpointFileIsNamed() {
        refused(ExitCode.CHECKPOINT, "no.pt", "--ckpt", folder.resolve("no.pt"));
    }

    @Test
    void aLabelBeyondTheClassesIsAUsageError() {
        refused(ExitCode.USAGE, "class label 5000 is out of range", "--class-labels", "1,5000");
        refused(ExitCode.USAGE, "no class is named \"walrus\"", "--class-labels", "walrus");
        refused(ExitCode.USAGE, "--class-labels", "--class-labels", "1,,2");
    }

    @Test
    void impossibleStepsAreAUsageError() {
        refused(ExitCode.USAGE, "0", "--num-sampling-steps", "0");
        refused(ExitCode.USAGE, "2000", "--num-sampling-steps", "2000");
        refused(ExitCode.USAGE, "many", "--num-sampling-steps", "many");
    }

    @Test
    void otherOptionsAreChecked() {
        refused(ExitCode.USAGE, "--cfg-scale", "--cfg-scale", "-1");
        refused(ExitCode.USAGE, "--cfg-scale", "--cfg-scale", "NaN");
        refused(ExitCode.USAGE, "--cfg-channels", "--cfg-channels", "4");
        refused(ExitCode.USAGE, "seed", "--seed", "x");
        refused(ExitCode.USAGE, "--batches", "--batches", "0");
        refused(ExitCode.USAGE, "--threads", "--threads", "0");
        refused(ExitCode.USAGE, "--image-size", "--image-size", "512");
        refused(ExitCode.USAGE, "--num-classes", "--num-classes", "7");
        refused(ExitCode.USAGE, "--nonsense", "--nonsense");
        refused(ExitCode.USAGE, "no model is named", "--model", "DiT-XXL/2");
        refused(ExitCode.USAGE, "DiT-S/8 (or SiT-... likewise), demo, or a config.json", "--model", "DiT-XXL/2");
    }

    @Test
    void anUnwritableOutputIsRefusedBeforeSampling() {
        Path output = folder.resolve("no/such/folder/sample.png");
        CommandLineRun run = CommandLineRun.of("sample", "--model", "demo", "--output", output);
        assertOneLine(run, ExitCode.FAILURE, "cannot write " + output);
        CommandLineRun latents = CommandLineRun.of(
                "sample", "--model", "demo", "--save-latents", folder, "--output", folder.resolve("a"));
        assertOneLine(latents, ExitCode.FAILURE, "it is a folder");
    }

    @Test
    void theTraceComesWithDebugOnly() {
        CommandLineRun run =
                CommandLineRun.of("sample", "--model", "demo", "--ckpt", folder.resolve("no.pt"), "--debug");
        assertEquals(ExitCode.CHECKPOINT, run.exitCode());
        assertTrue(run.err().contains("\tat org.tornadodit"), run.err());
    }

    private void refused(int exitCode, String message, Object... options) {
        Object[] arguments = Stream.concat(
                        Stream.of("sample", "--model", "demo", "--output", folder.resolve("sample.png")),
                        Stream.of(options))
                .toArray();
        if (List.of(options).contains("--model")) {
            arguments = Stream.concat(Stream.of("sample", "--output", folder.resolve("sample.png")), Stream.of(options))
                    .toArray();
        }
        assertOneLine(CommandLineRun.of(arguments), exitCode, message);
    }

    private void assertOneLine(CommandLineRun run, int exitCode, String message) {
        assertEquals(exitCode, run.exitCode(), run.err());
        String line = run.err().lines().findFirst().orElse("");
        assertTrue(line.startsWith("dit: ") && line.contains(message), run.err());
        long most = exitCode == ExitCode.USAGE ? 3 : 1; // usage errors point to --help, or suggest an option
        assertTrue(run.err().lines().count() <= most, run.err());
        assertFalse(run.err().contains("\tat "), run.err());
        assertEquals("", run.out());
        assertFalse(Files.exists(folder.resolve("sample.png")));
        assertFalse(leftOver(), "a partial file was left behind");
    }

    private boolean leftOver() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.anyMatch(file -> file.getFileName().toString().contains(".part"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
