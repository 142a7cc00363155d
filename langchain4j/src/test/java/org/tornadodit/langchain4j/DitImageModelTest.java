package org.tornadodit.langchain4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Request;
import org.tornadodit.pipeline.Sampling;

/** LangChain4j's view of the demo model on the CPU engine. */
class DitImageModelTest {
    private static final Path DEMO =
            Path.of(System.getProperty("dit.root", "..")).resolve("demo");

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static DitPipeline dit;

    @BeforeAll
    static void open() {
        dit = DitPipeline.load(DEMO.resolve("dit.pt"), DEMO.resolve("vae"))
                .devices("cpu")
                .maxBatch(2)
                .maxWaiting(0)
                .notices(line -> {})
                .open();
    }

    @AfterAll
    static void close() {
        dit.close();
    }

    private static DitImageModel.Builder twoSteps() {
        return DitImageModel.builder(dit).steps(2).seed(7);
    }

    private static byte[] png(Image image) {
        return Base64.getDecoder().decode(image.base64Data());
    }

    @Test
    void picturesAreThoseOfThePipeline() throws IOException {
        ImageModel model = twoSteps().guidance(2).sampler(SamplingMethod.UNIPC).build();
        Response<List<Image>> response = model.generate("APPLE", 2);
        Request same = Request.of(dit.labels("apple", "apple"))
                .steps(2)
                .guidance(2)
                .seed(7)
                .sampler(SamplingMethod.UNIPC);
        List<byte[]> expected =
                dit.sample(same).stream().map(picture -> picture.png()).toList();
        assertEquals(2, response.content().size());
        for (int i = 0; i < 2; i++) {
            Image image = response.content().get(i);
            assertArrayEquals(expected.get(i), png(image), "picture " + i);
            assertEquals("image/png", image.mimeType());
            assertEquals("apple", image.revisedPrompt());
            assertEquals(128, ImageIO.read(new ByteArrayInputStream(png(image))).getWidth());
        }
        assertNotEquals(
                response.content().getFirst().base64Data(),
                response.content().getLast().base64Data());
        assertEquals(Map.of("seed", 7L, "steps", "2", "guidance", 2.0, "sampler", "unipc"), response.metadata());
    }

    @Test
    void onePictureIsABatchOfOne() {
        Response<Image> response = twoSteps().build().generate("ICE-cream");
        assertEquals("ice cream", response.content().revisedPrompt());
        assertArrayEquals(
                dit.sample(Request.of(dit.labels("ice cream")).steps(2).seed(7))
                        .getFirst()
                        .png(),
                png(response.content()));
    }

    @Test
    void withoutASeedEachCallHasAnotherWhichTheAnswerTells() {
        ImageModel model = DitImageModel.builder(dit).steps(1).build();
        Response<Image> first = model.generate("fox");
        Response<Image> second = model.generate("fox");
        assertNotEquals(first.metadata().get("seed"), second.metadata().get("seed"));
        assertNotEquals(first.content().base64Data(), second.content().base64Data());
        Image again = DitImageModel.builder(dit)
                .steps(1)
                .seed(Long.parseLong(String.valueOf(first.metadata().get("seed"))))
                .build()
                .generate("fox")
                .content();
        assertEquals(first.content().base64Data(), again.base64Data());
    }

    private static String refusal(String prompt, int n) {
        return String.valueOf(assertThrows(
                        InvalidRequestException.class, () -> twoSteps().build().generate(prompt, n))
                .getMessage());
    }

    @Test
    void whatTheModelDoesNotHaveIsRefusedInALine() {
        assertTrue(refusal("foxx", 1).matches("no class is named \"foxx\"; .*\\bfox\\b.*"), refusal("foxx", 1));
        assertEquals("class label 80 is out of range, the model has classes 0 to 79", refusal("80", 1));
        assertEquals("0 images, expected 1 to 1024", refusal("fox", 0));
        assertEquals("2147483647 images, expected 1 to 1024", refusal("fox", Integer.MAX_VALUE));
        assertFalse(refusal("fo\nx", 1).contains("\n"), refusal("fo\nx", 1));
        IllegalArgumentException euler =
                assertThrows(IllegalArgumentException.class, () -> twoSteps().sampler(SamplingMethod.EULER));
        assertTrue(
                String.valueOf(euler.getMessage()).startsWith("sampler euler is not for DiT models"), euler::toString);
    }

    @Test
    void aFullQueueMayBeTriedAgain() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        Sampling other = dit.start(Request.of(dit.labels("fox", "fox")).steps(900), progress -> begun.countDown());
        begun.await();
        assertThrows(RateLimitException.class, () -> twoSteps().build().generate("fox"));
        other.cancel();
        assertThrows(CancellationException.class, other::pictures);
    }

    @Test
    void aFailureOfThePipelineIsAServersFailure() {
        DitPipeline closed = DitPipeline.load(DEMO.resolve("dit.pt"), DEMO.resolve("vae"))
                .devices("cpu")
                .notices(line -> {})
                .open();
        ImageModel model = DitImageModel.builder(closed).steps(1).build();
        closed.close();
        assertThrows(InternalServerException.class, () -> model.generate("fox"));
    }
}
