package org.tornadodit.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.model.io.SafetensorsWriter;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.pipeline.setup.CheckpointSizes;

/** What is wrong is said in one line, in the API's words. */
class PipelineErrorsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static TinyModelFiles model;

    @BeforeAll
    static void writeModel() throws IOException {
        model = TinyModelFiles.write(folder);
    }

    private static PipelineBuilder tiny() {
        return DitPipeline.load(model.checkpoint(), model.vae())
                .config(model.config())
                .devices("cpu")
                .threads(1);
    }

    private static String line(Throwable thrown) {
        return String.valueOf(thrown.getMessage());
    }

    private static void assertRefused(Class<? extends RuntimeException> type, String line, Executable work) {
        assertEquals(line, assertThrows(type, work).getMessage());
    }

    @Test
    void whatIsAskedFor() {
        assertRefused(IllegalArgumentException.class, "maxBatch is 0, expected 1 to 4096", () -> tiny().maxBatch(0));
        assertRefused(
                IllegalArgumentException.class,
                "devices is \"gpu\", expected auto, cpu, tornado, numbers of devices as in 0,1, or cpu:N with N from 1"
                        + " to 99",
                () -> tiny().devices("gpu"));
        assertRefused(
                IllegalArgumentException.class,
                "devices \"0,1,0\" names device 0 twice",
                () -> tiny().devices("0,1,0"));
        assertRefused(IllegalArgumentException.class, "0 class labels, expected 1 to 1048576", Request::of);
        assertRefused(
                IllegalArgumentException.class,
                "guidance is NaN, expected a number of at least 0",
                () -> Request.of(1).guidance(Double.NaN));
        assertRefused(
                IllegalArgumentException.class,
                "eta is 2.0, expected 0 to 1",
                () -> Request.of(1).eta(2));
        assertRefused(
                IllegalArgumentException.class,
                "4096 class labels in 1048576 batches are 4294967296 pictures, expected at most 2147483647",
                () -> Request.of(new int[4096]).batches(1 << 20));
        assertRefused(
                IllegalArgumentException.class,
                "2048 class labels in 1048576 batches are 2147483648 pictures, expected at most 2147483647",
                () -> Request.of(new int[2048]).batches(1 << 20));
        assertEquals(2047 << 20, Request.of(new int[2047]).batches(1 << 20).pictures());
        assertTrue(line(assertThrows(
                        IllegalArgumentException.class, () -> Request.of(1).steps(1001)))
                .contains("1001"));
        try (DitPipeline dit = tiny().open()) {
            assertRefused(
                    IllegalArgumentException.class,
                    "class label 6 is out of range, the model has classes 0 to 5",
                    () -> dit.sample(Request.of(0, 6)));
            assertRefused(
                    IllegalArgumentException.class,
                    "class label \"fox\" is not a number; this model's classes have no names here",
                    () -> dit.labels("fox"));
            assertEquals(3, dit.labels("3")[0]);
        }
    }

    @Test
    void files() {
        Path absent = folder.resolve("absent.pt");
        PipelineException missing = assertThrows(
                PipelineException.class,
                () -> DitPipeline.load(absent, model.vae()).open());
        assertTrue(line(missing).startsWith(absent.toString()), line(missing));
        assertTrue(missing.getCause() instanceof CheckpointException);
        PipelineException unknown = assertThrows(
                PipelineException.class,
                () -> DitPipeline.load(model.checkpoint(), model.vae()).open());
        assertTrue(line(unknown).endsWith("give its sizes in a config.json"), line(unknown));
    }

    @Test
    void devices() {
        assertRefused(
                PipelineException.class,
                "TornadoVM is not on the module path (java @$TORNADOVM_HOME/tornado-argfile ...); run"
                        + " ./setup-tornado.sh to get the TornadoVM 5.2.0-jdk25 SDK, or use devices(\"cpu\")",
                () -> tiny().devices("0").open());
        assertEquals(List.of(), DitPipeline.devices());
    }

    @Test
    void linesOfTheEnginesComeInTheApisWords() {
        assertEquals(
                "too small; open with a smaller maxBatch or use devices(\"cpu\"); give more with -Xmx2g",
                PipelineException.inJava("too small; name fewer --class-labels or use --device cpu\n"
                        + " give more with DIT_JVM_OPTS=-Xmx2g"));
    }

    /** Sizes of the paper's variants are told by the shapes. */
    @Test
    void sizesAreReadFromTheShapes() throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        writer.add("x_embedder.proj.weight", Shape.of(384, 4, 4, 4), new float[384 * 64]);
        writer.add("pos_embed", Shape.of(1, 64, 384), new float[64 * 384]);
        writer.add("y_embedder.embedding_table.weight", Shape.of(11, 384), new float[11 * 384]);
        for (int block = 0; block < 12; block++) {
            writer.add("blocks." + block + ".attn.qkv.weight", Shape.of(1), new float[1]);
        }
        Path file =
                Files.write(Files.createDirectory(folder.resolve("variant")).resolve("s4.safetensors"), writer.end());
        try (Checkpoint weights = Checkpoints.open(file)) {
            DitConfig expected = DitVariant.S_4.config(256, 10);
            assertEquals(expected, CheckpointSizes.of(file, weights, null));
            assertEquals(DitVariant.S_4.config(512, 10), CheckpointSizes.of(file, weights, 512));
        }
    }
}
