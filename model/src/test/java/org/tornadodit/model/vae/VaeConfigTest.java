package org.tornadodit.model.vae;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.model.io.file.CheckpointException;

class VaeConfigTest {

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private VaeConfig read(String json) throws IOException {
        Files.writeString(folder.resolve("config.json"), json);
        return VaeConfig.fromJson(folder);
    }

    @Test
    void absentKeysHaveDiffusersDefaults() throws IOException {
        assertEquals(new VaeConfig(List.of(64), 1, 4, 3, 32, 1e-6, 0.18215, true, true), read("{}"));
    }

    @Test
    void readsStableDiffusionsVae() throws IOException {
        VaeConfig config = read("""
            {"_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [128, 256, 512, 512],
             "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
             "DownEncoderBlock2D"], "in_channels": 3, "latent_channels": 4, "layers_per_block": 2,
             "norm_num_groups": 32, "out_channels": 3, "sample_size": 256, "up_block_types": ["UpDecoderBlock2D",
             "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}\
            """);
        assertEquals(8, config.upsampling());
        assertEquals(List.of(512, 512, 256, 128), config.upBlockChannels());
        // The decoder with post_quant_conv: 49 490 199 parameters.
        assertEquals(
                49_490_199,
                VaeWeights.specs(config).stream()
                        .mapToLong(spec -> spec.shape().elements())
                        .sum());
        assertTrue(VaeWeights.specs(config).stream()
                .anyMatch(spec -> spec.name().equals("decoder.up_blocks.2.resnets.0.conv_shortcut.weight")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"norm_num_groups\": 48} | block_out_channels has 64, expected multiples of norm_num_groups, 48",
                "{\"block_out_channels\": []} | up_block_types is [UpDecoderBlock2D], expected one UpDecoderBlock2D"
                        + " for each of block_out_channels, []",
                "{\"layers_per_block\": 1000} | layers_per_block is 1000, expected 1 to 64",
                "{\"scaling_factor\": 0} | scaling_factor is 0.0, expected a positive number",
                "{\"act_fn\": \"relu\"} | act_fn is \"relu\", expected \"silu\"",
                "{\"_class_name\": \"VQModel\"} | _class_name is \"VQModel\", expected \"AutoencoderKL\"",
                "{\"shift_factor\": 0.1} | shift_factor is set; only VAEs without it are supported"
            })
    void refusesWhatItDoesNotRun(String json, String message) {
        CheckpointException thrown = assertThrows(CheckpointException.class, () -> read(json));
        assertEquals(folder.resolve("config.json") + ": " + message, thrown.getMessage());
    }
}
