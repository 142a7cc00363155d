package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.runner.command.DownloadCommand;
import org.tornadodit.runner.download.ConnectProxy;
import org.tornadodit.runner.download.HubCache;
import org.tornadodit.runner.download.WeightsFinder;
import org.tornadodit.runner.download.WeightsServer;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.runner.terminal.TransferProgress;
import picocli.CommandLine;

/** The command from its words to the files, and the files found again. */
class DownloadCommandTest {
    @TempDir
    Path folder;

    @Test
    void listsWeightsSizesLicencesAndAddresses() {
        CommandLineRun list = CommandLineRun.of("download");
        assertEquals(ExitCode.DONE, list.exitCode());
        for (String words : List.of(
                "DiT-XL/2-512           2.7 GB and 334.6 MB    CC BY-NC 4.0, MIT",
                "https://dl.fbaipublicfiles.com/DiT/models/DiT-XL-2-256x256.pt",
                "https://huggingface.co/facebook/DiT-XL-2-512/resolve/main/transformer/diffusion_pytorch_model.bin",
                "do not use them or what they make for commercial purposes")) {
            assertTrue(list.out().contains(words), list.out());
        }
        assertTrue(CommandLineRun.of("--help").out().contains("dit download DiT-XL/2-512 (2.7 GB, CC BY-NC 4.0"));
        String help = CommandLineRun.of("download", "--help").out();
        assertTrue(help.contains("https://huggingface.co/stabilityai/sd-vae-ft-ema"), help);
    }

    @Test
    void refusesWhatNobodyPublishes() {
        CommandLineRun run = CommandLineRun.of("download", "DiT-B/4-512");
        assertEquals(ExitCode.USAGE, run.exitCode());
        assertTrue(
                run.err().startsWith("dit: no published weights are called DiT-B/4-512; there are DiT-XL/2-512,"),
                run.err());
        CommandLineRun vae = CommandLineRun.of("download", "DiT-XL/2-512", "--vae", "taesd");
        assertEquals(ExitCode.USAGE, vae.exitCode());
        assertTrue(vae.err().contains("--vae is taesd, expected ema or mse"), vae.err());
    }

    @Test
    void fetchesAFolderThroughAProxyAndSaysHowToUseIt() throws Exception {
        try (WeightsServer server = new WeightsServer();
                ConnectProxy proxy = new ConnectProxy(server.port(), null)) {
            byte[] content = "weights".getBytes(StandardCharsets.US_ASCII);
            String sum = HexFormat.of()
                    .formatHex(
                            java.security.MessageDigest.getInstance("SHA-256").digest(content));
            server.at("/facebook/DiT-XL-2-512/resolve/main/", exchange -> {
                boolean large = exchange.getRequestURI().getPath().endsWith(".bin");
                if (large) {
                    exchange.getResponseHeaders().set("X-Linked-Etag", '"' + sum + '"');
                }
                exchange.sendResponseHeaders(200, content.length);
                exchange.getResponseBody().write(content);
            });
            DownloadCommand command = new DownloadCommand();
            command.environment = Map.of("https_proxy", "http://localhost:" + proxy.port(), "HF_TOKEN", "hf_x");
            command.trust = WeightsServer.trust();
            StringWriter out = new StringWriter();
            StringWriter err = new StringWriter();
            Path there = folder.resolve("my weights");
            int code = new CommandLine(command)
                    .setOut(new PrintWriter(out, true))
                    .setErr(new PrintWriter(err, true))
                    .execute("facebook/DiT-XL-2-512", "--output", there.toString(), "--quiet");
            assertEquals(ExitCode.DONE, code, err.toString());
            assertEquals(
                    "./dit sample --model DiT-XL/2 --image-size 512 --ckpt '" + there + "/DiT-XL-2-512'",
                    out.toString().strip());
            assertTrue(err.toString().contains("CC BY-NC 4.0"), err.toString());
            assertTrue(
                    err.toString().contains("vae/diffusion_pytorch_model.bin: its SHA-256 is the published one"),
                    err.toString());
            assertTrue(err.toString().contains("vae/config.json: no checksum is published"), err.toString());
            assertEquals("huggingface.co:443", proxy.tunnels.getFirst());
            assertEquals("Bearer hf_x", server.asked.getFirst().authorization());
            WeightsFinder finder = new WeightsFinder(there, new HubCache(folder.resolve("none")));
            Path pipeline = there.resolve("DiT-XL-2-512");
            assertEquals(pipeline, finder.dit(512, null).orElseThrow().checkpoint());
            assertEquals(
                    pipeline.resolve("vae"), finder.dit(512, null).orElseThrow().vae());
        }
    }

    @Test
    void sampleTakesWhatIsThereAndSaysWhatIsNot() throws Exception {
        ModelOptions options = new ModelOptions();
        options.imageSize = 512;
        Path checkpoint = folder.resolve("DiT-XL-2-512x512.pt");
        Path vae = folder.resolve("sd-vae-ft-mse");
        Files.createDirectories(vae);
        Files.writeString(checkpoint, "weights");
        Files.writeString(vae.resolve("diffusion_pytorch_model.safetensors"), "weights");
        WeightsFinder finder = new WeightsFinder(folder, new HubCache(folder.resolve("none")));
        ModelSource source = ModelSource.of(options, Surroundings.read(), finder);
        assertEquals(checkpoint, source.checkpoint());
        assertEquals(vae, source.vae());

        CommandLineRun none = CommandLineRun.of("sample", "--model", "DiT-XL/2", "--image-size", "512");
        assertEquals(ExitCode.USAGE, none.exitCode());
        assertTrue(none.err().contains("fetch the published ones (./dit download DiT-XL/2-512)"), none.err());
        CommandLineRun vaeless = CommandLineRun.of("sample", "--model", "DiT-XL/2", "--ckpt", checkpoint);
        assertTrue(vaeless.err().contains("fetch it: ./dit download sd-vae-ft-ema"), vaeless.err());
        CommandLineRun hub = CommandLineRun.of("sample", "--ckpt", "facebook/DiT-XL-2-512");
        assertEquals(ExitCode.CHECKPOINT, hub.exitCode());
        assertTrue(hub.err().contains("./dit download facebook/DiT-XL-2-512 fetches it"), hub.err());
    }

    @Test
    void showsBytesSpeedAndTimeLeftInEightyColumns() {
        String line = TransferProgress.line("DiT-XL-2-512x512.pt", 1_350_000_000L, 2_700_000_000L, 50e6, true);
        assertEquals("DiT-XL-2-512x512.pt:  50% |##########          | 2.70 GB [50.0 MB/s, 00:27 left]", line);
        assertEquals("x: 1.5 MB [0.0 MB/s]", TransferProgress.line("x", 1_500_000, 0, 0, true));
        assertEquals(
                "x:  10% 10.0 GB [1.0 MB/s, 2:30:00 left]".replace("10.0 GB", "10.00 GB"),
                TransferProgress.line("x", 1_000_000_000L, 10_000_000_000L, 1e6, false));
        String longest = TransferProgress.line(
                "checking diffusion_pytorch_model.safetensors", 300_000_000L, 334_643_276L, 1234e6, true);
        assertTrue(longest.length() <= 110, longest);
    }

    @Test
    void leavesALineAFileAndNoneForAQuickCheck() {
        for (boolean terminal : new boolean[] {false, true}) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            PrintStream err = new PrintStream(bytes, true, StandardCharsets.UTF_8);
            try (TransferProgress progress = new TransferProgress(err, terminal, false)) {
                progress.begin("config.json", 0, 547);
                progress.progress(547, 547);
                progress.checking("config.json");
                progress.progress(547, 547);
                progress.begin("dit.pt", 1_000_000, 2_000_000);
                progress.progress(2_000_000, 2_000_000);
                progress.retry("gone", Duration.ofSeconds(3));
            }
            String text = bytes.toString(StandardCharsets.UTF_8);
            List<String> lines = text.replaceAll("\r|\u001b\\[K", "").lines().toList();
            assertEquals(4, lines.size(), text);
            assertTrue(lines.get(0).startsWith("config.json: 100% "), text);
            assertEquals("dit.pt: goes on from 1.0 MB", lines.get(1));
            assertTrue(lines.get(2).startsWith("dit.pt: 100% "), text);
            assertEquals("dit: gone; trying again in 3 s", lines.get(3));
        }
    }
}
