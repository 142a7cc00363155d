package org.tornadodit.langchain4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.HttpException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.openai.OpenAiImageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.pipeline.Request;
import org.tornadodit.serve.DitServer;
import org.tornadodit.serve.ServerOptions;

/** LangChain4j's client of OpenAI's images, unchanged, against a server of a tiny model of 16 x 16 pixels. */
class OpenAiClientTest {
    private static final String TOKEN = "a-long-token";

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static DitPipeline dit;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static DitServer server;

    @BeforeAll
    static void start() throws IOException {
        TinyModelFiles model = TinyModelFiles.write(folder);
        Path names = Files.writeString(folder.resolve("labels.json"), """
            {"names": ["dog", "cat", "red fox", "bear", "owl", "panda"], "favourites": [2]}
            """);
        dit = DitPipeline.load(model.checkpoint(), model.vae())
                .config(model.config())
                .classNames(names)
                .devices("cpu")
                .threads(1)
                .maxBatch(2)
                .notices(line -> {})
                .open();
        server = DitServer.start(
                dit, ServerOptions.defaults().port(0).model("tiny").token(TOKEN).grace(Duration.ofSeconds(1)));
    }

    @AfterAll
    static void close() {
        server.close();
        dit.close();
    }

    private static OpenAiImageModel.OpenAiImageModelBuilder client() {
        return OpenAiImageModel.builder()
                .baseUrl(server.uri() + "/v1")
                .apiKey(TOKEN)
                .modelName("tiny")
                .maxRetries(0)
                .timeout(Duration.ofMinutes(1));
    }

    /** The seed that the server drew is in the file. */
    private static Map<String, String> facts(Image image) throws Exception {
        Path file = Files.write(folder.resolve("answer.png"), png(image));
        return PictureFacts.read(file).orElseThrow().facts();
    }

    private static byte[] png(Image image) {
        return Base64.getDecoder().decode(image.base64Data());
    }

    @Test
    void picturesAreThoseOfThePipeline() throws Exception {
        List<Image> images =
                client().size("16x16").build().generate("Red Fox", 2).content();
        long seed = Long.parseLong(String.valueOf(facts(images.getFirst()).get("seed")));
        List<Picture> expected = dit.sample(Request.of(2, 2).seed(seed));
        assertEquals(2, images.size());
        for (int i = 0; i < 2; i++) {
            assertEquals("red fox", images.get(i).revisedPrompt());
            assertArrayEquals(expected.get(i).png(), png(images.get(i)), "picture " + i + " of seed " + seed);
        }
    }

    @Test
    void whatOpenAisModelsTakeIsNoObstacle() {
        ImageModel model = client().quality("high")
                .user("somebody")
                .background("auto")
                .outputFormat("png")
                .moderation("low")
                .build();
        assertEquals("owl", model.generate("owl").content().revisedPrompt());
    }

    @Test
    void refusalsHaveTheServersStatusAndWords() {
        HttpException unknown = refusal(client().build(), "red foxx");
        assertEquals(400, unknown.statusCode());
        assertTrue(
                String.valueOf(unknown.getMessage()).contains("the model knows: dog, cat, red fox"), unknown::toString);
        HttpException stranger = refusal(client().apiKey("another-token").build(), "owl");
        assertEquals(401, stranger.statusCode());
        HttpException size = refusal(client().size("1024x1024").build(), "owl");
        assertTrue(String.valueOf(size.getMessage()).contains("\"param\":\"size\""), size::toString);
    }

    private static HttpException refusal(ImageModel model, String prompt) {
        return assertThrows(HttpException.class, () -> model.generate(prompt));
    }
}
