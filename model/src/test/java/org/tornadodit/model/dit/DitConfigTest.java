package org.tornadodit.model.dit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.RandomCheckpoint;
import org.tornadodit.model.io.file.CheckpointException;

class DitConfigTest {

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private DitConfig read(String json) throws IOException {
        Files.writeString(folder.resolve("config.json"), json);
        return DitConfig.fromJson(folder);
    }

    /** The numbers of parameters that the DiT paper's table 4 rounds to 675, 458, 131 and 33 million. */
    @ParameterizedTest
    @CsvSource({"DiT-XL/2, 675", "DiT-L/4, 458", "DiT-B/2, 130", "DiT-S/8, 33"})
    void variantsHaveThePapersSizes(String name, long millions) {
        DitConfig config = DitVariant.parse(name).config(256, 1000);
        assertEquals(millions, config.parameters() / 1_000_000);
    }

    @Test
    void xl2At512HasTheKnownShape() {
        DitConfig config = DitVariant.parse("dit-xl/2").config(512, 1000);
        assertEquals(new DitConfig(64, 2, 4, 1152, 28, 16, 4.0, 1000, true), config);
        assertEquals(1024, config.tokens());
        assertEquals(72, config.headSize());
        assertEquals(32, config.patchOutputs());
        assertEquals(676_014_368, config.parameters());
        assertEquals(512, config.imageSize());
    }

    @Test
    void namesAreParsedBack() {
        assertEquals(12, DitVariant.values().length);
        for (DitVariant variant : DitVariant.values()) {
            assertSame(variant, DitVariant.parse(variant.modelName()));
        }
        IllegalArgumentException thrown =
                assertThrows(IllegalArgumentException.class, () -> DitVariant.parse("DiT-M/2"));
        assertTrue(String.valueOf(thrown.getMessage())
                .startsWith("no model is named \"DiT-M/2\", expected one of DiT-XL/2,"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -16, 8, 500})
    void imageSizesAreMultiplesOfEightPatches(int size) {
        IllegalArgumentException thrown =
                assertThrows(IllegalArgumentException.class, () -> DitVariant.XL_2.config(size, 1000));
        assertEquals(
                "image size is " + size
                        + ", expected a multiple of 16 for DiT-XL/2 (8 pixels a latent pixel, patches of 2)",
                thrown.getMessage());
    }

    @Test
    void readsTheReferencesArgumentsAndTheirDefaults() throws IOException {
        assertEquals(DitVariant.XL_2.config(256, 1000), read("{}"));
        assertEquals(new DitConfig(16, 4, 3, 32, 5, 2, 2.5, 7, false), read("""
            {"input_size": 16, "patch_size": 4, "in_channels": 3, "hidden_size": 32, "depth": 5,
             "num_heads": 2, "mlp_ratio": 2.5, "num_classes": 7, "learn_sigma": false}\
            """));
    }

    @Test
    void readsDiffusersKeys() throws IOException {
        assertEquals(DitVariant.XL_2.config(512, 1000), read("""
            {"_class_name": "DiTTransformer2DModel", "sample_size": 64, "num_attention_heads": 16,
             "attention_head_dim": 72, "num_layers": 28, "num_embeds_ada_norm": 1000, "in_channels": 4,
             "out_channels": 8, "patch_size": 2}\
            """));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"depth\": 1e9} | depth is 1000000000, expected 1 to 1024",
                "{\"num_heads\": 5} | hidden_size is 1152, expected a multiple of num_heads, 5",
                "{\"patch_size\": 3} | input_size is 32, expected a multiple of patch_size, 3",
                "{\"hidden_size\": 0} | hidden_size is 0, expected 4 to 65536",
                "{\"mlp_ratio\": 0} | mlp_ratio is 0.0, expected more than 0 and at most 64",
                "{\"input_size\": 4096, \"in_channels\": 1024} | an image would have 34359738368 values, expected at"
                        + " most 268435456",
                "{\"sample_size\": 32, \"out_channels\": 5} | out_channels is 5, expected in_channels (4) or twice"
                        + " that",
                "{\"sample_size\": 32, \"norm_type\": \"x\"} | norm_type is \"x\", expected \"ada_norm_zero\""
            })
    void refusesSizesThatMakeNoModel(String json, String message) {
        CheckpointException thrown = assertThrows(CheckpointException.class, () -> read(json));
        assertEquals(folder.resolve("config.json") + ": " + message, thrown.getMessage());
    }

    @Test
    void aCheckpointWithoutPositionsGetsThem() {
        DitConfig config = new DitConfig(6, 2, 4, 8, 1, 2, 4.0, 3, true);
        DitWeights weights = DitWeights.load(
                new RandomCheckpoint(DitWeights.specs(config), 1, name -> name.equals("pos_embed")), config);
        assertArrayEquals(
                PositionEmbedding.sinCos(8, 3), weights.positionEmbedding().toArray());
    }

    @Test
    void aCheckpointOfAnotherModelIsRefused() {
        DitConfig config = new DitConfig(6, 2, 4, 8, 1, 2, 4.0, 3, true);
        DitConfig deeper = new DitConfig(6, 2, 4, 8, 2, 2, 4.0, 3, true);
        CheckpointException thrown = assertThrows(
                CheckpointException.class,
                () -> DitWeights.load(new RandomCheckpoint(DitWeights.specs(config), 1), deeper));
        assertTrue(
                String.valueOf(thrown.getMessage()).contains("missing blocks.1.attn.qkv.weight"), thrown.getMessage());
    }
}
