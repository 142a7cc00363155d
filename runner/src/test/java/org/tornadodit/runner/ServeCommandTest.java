package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.runner.option.DivisionOptions;
import org.tornadodit.runner.terminal.ExitCode;

/** {@code dit serve} as a process, and its usage. */
@DisabledOnOs(OS.WINDOWS)
class ServeCommandTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @AfterEach
    void oneDevice() {
        HostRuntime.get().setDeviceCount(1);
    }

    private static HttpResponse<String> post(HttpClient client, URI server, String body) throws Exception {
        return client.send(request(server, body), BodyHandlers.ofString());
    }

    private static HttpRequest request(URI server, String body) {
        return HttpRequest.newBuilder(server.resolve("/v1/images/generations"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private static Map<String, String> facts(Path picture) throws Exception {
        return PictureFacts.read(picture).orElseThrow().facts();
    }

    @Test
    void servesWhatSampleSamplesUntilItIsStopped() throws Exception {
        TinyModelFiles model = TinyModelFiles.write(folder);
        Process process = start(
                model.command(List.of("serve"), "--device", "cpu", "--port", 0, "--grace", 600, "--max-pictures", 16));
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
                HttpClient client = HttpClient.newHttpClient()) {
            String said = String.valueOf(out.readLine());
            assertTrue(said.matches("serving .* at http://127\\.0\\.0\\.1:\\d+"), said);
            URI server = URI.create(said.replaceAll(".* at ", ""));
            String models = client.send(
                            HttpRequest.newBuilder(server.resolve("/v1/models")).build(), BodyHandlers.ofString())
                    .body();
            assertTrue(models.contains("\"id\":\"tiny.json\""), "where a file lies is nobody's business: " + models);
            HttpResponse<String> answer = post(
                    client,
                    server,
                    "{\"class_labels\": [1, 4], \"num_inference_steps\": 3, \"seed\": 7, \"guidance_scale\": 2}");
            assertEquals(200, answer.statusCode(), answer.body());
            Path pictures = folder.resolve("pictures");
            CommandLineRun sampled = CommandLineRun.of(model.sample(
                            "--device",
                            "cpu",
                            "--class-labels",
                            "1,4",
                            "--num-sampling-steps",
                            3,
                            "--seed",
                            7,
                            "--cfg-scale",
                            2,
                            "--output",
                            pictures + "/")
                    .toArray());
            assertEquals(ExitCode.DONE, sampled.exitCode(), sampled.err());
            for (int i = 0; i < 2; i++) {
                String picture = JsonParser.parseString(answer.body())
                        .getAsJsonObject()
                        .getAsJsonArray("data")
                        .get(i)
                        .getAsJsonObject()
                        .get("b64_json")
                        .getAsString();
                Path file = pictures.resolve(i + "_" + List.of(1, 4).get(i) + ".png");
                Path served = Files.write(
                        folder.resolve("served.png"), Base64.getDecoder().decode(picture));
                assertArrayEquals(
                        ImageFiles.read(file).levels(), ImageFiles.read(served).levels(), "the command line's bits");
                assertEquals(facts(file), facts(served), "and what made them, as --like takes it");
            }
            CompletableFuture<HttpResponse<String>> running = client.sendAsync(
                    request(server, "{\"class_labels\": 2, \"n\": 8, \"num_inference_steps\": 1000}"),
                    BodyHandlers.ofString());
            while (!running.isDone()
                    && !client.send(
                                    HttpRequest.newBuilder(server.resolve("/health"))
                                            .build(),
                                    BodyHandlers.ofString())
                            .body()
                            .contains("\"running\":1")) {
                Thread.sleep(10);
            }
            assertFalse(running.isDone(), "it was done before it was seen to run");
            process.destroy(); // SIGTERM
            HttpResponse<String> last = running.get(600, TimeUnit.SECONDS);
            assertEquals(200, last.statusCode(), () -> "there was time for it, but: " + last.body());
            assertTrue(process.waitFor(30, TimeUnit.SECONDS));
            assertEquals(ExitCode.DONE, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
    }

    private Process start(List<?> arguments) throws IOException {
        return new ProcessBuilder(CommandLineRun.command(List.of("-Xmx1g", "-XX:TieredStopAtLevel=1"), arguments))
                .directory(folder.toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
    }

    /** The demo's sizes and names are the program's, wherever weights lie and the program was started. */
    @Test
    void theDemosSizesAndNamesServeWeightsThatLieElsewhere() throws Exception {
        Path weights = Files.copy(CommandLineRun.ROOT.resolve("demo/dit.pt"), folder.resolve("dit.pt"));
        Process process = start(
                List.of("serve", "--model", "demo", "--ckpt", weights.getFileName(), "--device", "cpu", "--port", 0));
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
                HttpClient client = HttpClient.newHttpClient()) {
            String said = String.valueOf(out.readLine());
            assertTrue(said.startsWith("serving demo at "), () -> said + ": " + err());
            HttpResponse<String> answer = post(
                    client,
                    URI.create(said.replaceAll(".* at ", "")),
                    "{\"prompt\": \"fox\", \"num_inference_steps\": 1}");
            assertEquals(200, answer.statusCode(), answer.body());
        } finally {
            process.destroyForcibly();
        }
    }

    /** Also what the pipeline says of itself is in the command line's words. */
    @Test
    void withoutAnSdkItSaysWhatOtherCommandsSay() throws Exception {
        TinyModelFiles model = TinyModelFiles.write(folder);
        Process process = start(model.command(List.of("serve"), "--port", 0));
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
                HttpClient client = HttpClient.newHttpClient()) {
            String said = String.valueOf(out.readLine());
            assertTrue(said.startsWith("serving "), () -> said + ": " + err());
            String models = client.send(
                            HttpRequest.newBuilder(URI.create(said.replaceAll(".* at ", ""))
                                            .resolve("/v1/models"))
                                    .build(),
                            BodyHandlers.ofString())
                    .body();
            assertTrue(models.contains("no TornadoVM SDK was found (TORNADOVM_HOME is not set)"), models);
        } finally {
            process.destroyForcibly();
        }
    }

    private String err() {
        try {
            return Files.readString(folder.resolve("err"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void wrongUsageIsToldBeforeTheModelIsRead() {
        for (List<String> words : List.of(
                List.of("--host", "0.0.0.0"),
                List.of("--port", "70000"),
                List.of("--token", "short"),
                List.of("--max-waiting", "-1"),
                List.of("--timeout", "0"),
                List.of("--grace", "-1"),
                List.of("--host", "no such host"))) {
            List<Object> arguments = new ArrayList<>(List.of("serve", "--model", "demo"));
            arguments.addAll(words);
            CommandLineRun run = CommandLineRun.of(arguments.toArray());
            assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
            assertTrue(run.err().lines().findFirst().orElseThrow().startsWith("dit: "), run.err());
        }
        CommandLineRun open = CommandLineRun.of("serve", "--model", "demo", "--host", "0.0.0.0");
        assertTrue(open.err().contains("a token is needed (--token, DIT_SERVE_TOKEN)"), open.err());
    }

    /** Not of the classes that the server and the pipeline are made with. */
    @Test
    void whatIsOutOfRangeIsNamedAsItWasTyped() {
        for (String line : List.of(
                "--port 70000: --port is 70000, expected 0 to 65535",
                "--max-batch 0: --max-batch is 0, expected 1 to 4096",
                "--max-pictures -1: --max-pictures is -1, expected 0 to 4096",
                "--max-waiting -1: --max-waiting is -1, expected 0 to 100000",
                "--max-connections 0: --max-connections is 0, expected 1 or more",
                "--timeout 0: --timeout is 0, expected 1 second or more",
                "--grace -1: --grace is -1, expected 0 seconds or more",
                "--device-weights -1.0: --device-weights has -1.0, expected numbers greater than 0")) {
            refused(
                    line.substring(line.indexOf(": ") + 2),
                    line.substring(0, line.indexOf(": ")).replace(' ', '='));
        }
    }

    @Test
    void whatTheChosenEngineDoesNotHeedIsRefused() {
        for (String idle : List.of(
                "--matmul-precision=high", "--kernels=mma", "--fail-fast", "--no-kernel-cache", "--device-weights=1")) {
            refused(
                    idle.replaceAll("=.*", "") + " has no effect with --device cpu; leave one of them out",
                    "--device=cpu",
                    idle);
        }
        refused(
                "--threads has no effect with --devices, only the CPU engine has threads; leave it out, or give"
                        + " --device cpu",
                "--devices=cpu:2",
                "--threads=2");
        refused(
                "--no-kernel-cache has no effect with --devices cpu:N, for which no kernel is compiled; leave one of them"
                        + " out",
                "--devices=cpu:2",
                "--no-kernel-cache");
    }

    @Test
    void helpOffersNothingThatIsRefused() {
        String help = CommandLineRun.of("serve", "--help").out();
        assertTrue(help.contains("--device-weights"), help);
        for (String idle : DivisionOptions.NAMES) {
            assertFalse(help.contains(idle), idle);
            refused(
                    idle + " has no effect on serve, whose devices divide requests as --plan auto says; leave it out",
                    idle + (idle.equals("--use-cfg-parallel") ? "" : idle.equals("--plan") ? "=auto" : "=2"));
        }
    }

    /** The server does not start: where it did, the test would wait for its end. */
    private static void refused(String message, String... words) {
        List<Object> arguments = new ArrayList<>(List.of("serve", "--model", "demo"));
        arguments.addAll(List.of(words));
        if (!words[0].startsWith("--port")) {
            arguments.addAll(List.of("--port", 0));
        }
        CommandLineRun run = assertTimeoutPreemptively(
                Duration.ofMinutes(1), () -> CommandLineRun.of(arguments.toArray()), () -> String.join(" ", words));
        assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
        assertEquals("dit: " + message, run.err().lines().findFirst().orElseThrow());
    }
}
