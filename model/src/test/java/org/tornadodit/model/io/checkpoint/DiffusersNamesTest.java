package org.tornadodit.model.io.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.SafetensorsWriter;
import org.tornadodit.model.io.TestFiles;

/** Names as in diffusers' scripts/convert_dit_to_diffusers.py, which goes the other way. */
class DiffusersNamesTest {

    private static final Shape MATRIX = Shape.of(2, 2);
    private static final Shape VECTOR = Shape.of(2);

    @TempDir
    Path folder;

    private Path file = Path.of("");

    @BeforeEach
    void setFile() {
        file = folder.resolve("diffusion_pytorch_model.safetensors");
    }

    private static SafetensorsWriter dit() {
        SafetensorsWriter writer = new SafetensorsWriter();
        layer(writer, "pos_embed.proj", 1);
        for (int block = 0; block < 2; block++) {
            String prefix = "transformer_blocks." + block + ".";
            layer(writer, prefix + "norm1.emb.timestep_embedder.linear_1", 10);
            layer(writer, prefix + "norm1.emb.timestep_embedder.linear_2", 20);
            writer.count(prefix + "norm1.emb.class_embedder.embedding_table.weight", MATRIX, 30);
            layer(writer, prefix + "norm1.linear", 100 * block + 40);
            layer(writer, prefix + "attn1.to_k", 100 * block + 60);
            layer(writer, prefix + "attn1.to_q", 100 * block + 50);
            layer(writer, prefix + "attn1.to_v", 100 * block + 70);
            layer(writer, prefix + "attn1.to_out.0", 100 * block + 80);
            layer(writer, prefix + "ff.net.0.proj", 100 * block + 90);
            layer(writer, prefix + "ff.net.2", 100 * block + 95);
        }
        layer(writer, "proj_out_1", 300);
        layer(writer, "proj_out_2", 310);
        return writer;
    }

    private static void layer(SafetensorsWriter writer, String name, float first) {
        writer.count(name + ".weight", MATRIX, first).count(name + ".bias", VECTOR, first + 4);
    }

    @Test
    void givesDitsNamesWithQueryKeyAndValueJoined() throws IOException {
        Files.write(file, dit().end());
        try (Checkpoint checkpoint = Checkpoints.open(folder)) {
            Set<String> expected = new TreeSet<>();
            expected.add("y_embedder.embedding_table.weight");
            for (String layer : new String[] {
                "x_embedder.proj", "t_embedder.mlp.0", "t_embedder.mlp.2", "final_layer.adaLN_modulation.1",
                "final_layer.linear", "blocks.0.adaLN_modulation.1", "blocks.0.attn.qkv", "blocks.0.attn.proj",
                "blocks.0.mlp.fc1", "blocks.0.mlp.fc2", "blocks.1.adaLN_modulation.1", "blocks.1.attn.qkv",
                "blocks.1.attn.proj", "blocks.1.mlp.fc1", "blocks.1.mlp.fc2"
            }) {
                expected.add(layer + ".weight");
                expected.add(layer + ".bias");
            }
            assertEquals(expected, new TreeSet<>(checkpoint.names()));
            assertEquals(Shape.of(6, 2), checkpoint.shape("blocks.1.attn.qkv.weight"));
            assertTensor(
                    checkpoint, "blocks.1.attn.qkv.weight", 150, 151, 152, 153, 160, 161, 162, 163, 170, 171, 172, 173);
            assertTensor(checkpoint, "blocks.0.attn.qkv.bias", 54, 55, 64, 65, 74, 75);
            assertTensor(checkpoint, "x_embedder.proj.bias", 5, 6);
            assertTensor(checkpoint, "t_embedder.mlp.0.bias", 14, 15);
            assertTensor(checkpoint, "t_embedder.mlp.2.bias", 24, 25);
            assertTensor(checkpoint, "y_embedder.embedding_table.weight", 30, 31, 32, 33);
            assertTensor(checkpoint, "blocks.1.adaLN_modulation.1.bias", 144, 145);
            assertTensor(checkpoint, "blocks.1.attn.proj.bias", 184, 185);
            assertTensor(checkpoint, "blocks.1.mlp.fc1.bias", 194, 195);
            assertTensor(checkpoint, "blocks.1.mlp.fc2.bias", 199, 200);
            assertTensor(checkpoint, "final_layer.adaLN_modulation.1.bias", 304, 305);
            assertTensor(checkpoint, "final_layer.linear.bias", 314, 315);
            assertTrue(checkpoint.tensor("blocks.0.mlp.fc1.weight").data().isMapped());
        }
    }

    @Test
    void refusesEmbeddersThatDifferBetweenBlocks() throws IOException {
        Files.write(
                file,
                dit().count("transformer_blocks.2.norm1.emb.class_embedder.embedding_table.weight", MATRIX, 31)
                        .end());
        assertRefused("expected a copy of transformer_blocks.0.norm1.emb.class_embedder");
    }

    @Test
    void refusesAnIncompleteAttention() throws IOException {
        SafetensorsWriter writer = dit();
        layer(writer, "transformer_blocks.2.attn1.to_q", 0);
        layer(writer, "transformer_blocks.2.attn1.to_k", 0);
        Files.write(file, writer.end());
        assertRefused("tensor transformer_blocks.2.attn1.to_v.weight: expected a tensor of this name, found none");
        layer(writer, "transformer_blocks.2.attn1.to_v", 0);
        Files.write(
                file,
                writer.count("transformer_blocks.2.attn1.to_q.scale", VECTOR, 0).end());
        assertRefused("transformer_blocks.2.attn1.to_k.scale");
    }

    @Test
    void leavesUnknownNamesForTheModelToReport() throws IOException {
        Files.write(
                file,
                dit().count("transformer_blocks.0.norm3.weight", VECTOR, 0).end());
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            assertTrue(checkpoint.names().contains("transformer_blocks.0.norm3.weight"));
        }
    }

    @Test
    void givesPresentNamesAndMatricesForAVae() throws IOException {
        Path vae = Files.createDirectory(folder.resolve("vae"));
        String attention = "decoder.mid_block.attentions.0.";
        Files.write(
                vae.resolve("diffusion_pytorch_model.safetensors"),
                new SafetensorsWriter()
                        .count(attention + "query.weight", Shape.of(2, 2, 1, 1), 0)
                        .count(attention + "query.bias", VECTOR, 10)
                        .count(attention + "key.weight", MATRIX, 20)
                        .count(attention + "value.weight", MATRIX, 30)
                        .count(attention + "proj_attn.weight", MATRIX, 40)
                        .count(attention + "group_norm.weight", VECTOR, 50)
                        .count("encoder.mid_block.attentions.0.to_q.weight", Shape.of(2, 2, 1, 1), 60)
                        .count("post_quant_conv.weight", Shape.of(2, 2, 1, 1), 70)
                        .end());
        try (Checkpoint checkpoint = Checkpoints.openVae(folder)) {
            assertEquals(MATRIX, checkpoint.shape(attention + "to_q.weight"));
            assertTensor(checkpoint, attention + "to_q.weight", 0, 1, 2, 3);
            assertTensor(checkpoint, attention + "to_q.bias", 10, 11);
            assertTensor(checkpoint, attention + "to_k.weight", 20, 21, 22, 23);
            assertTensor(checkpoint, attention + "to_v.weight", 30, 31, 32, 33);
            assertTensor(checkpoint, attention + "to_out.0.weight", 40, 41, 42, 43);
            assertTensor(checkpoint, attention + "group_norm.weight", 50, 51);
            assertEquals(MATRIX, checkpoint.shape("encoder.mid_block.attentions.0.to_q.weight"));
            assertEquals(Shape.of(2, 2, 1, 1), checkpoint.shape("post_quant_conv.weight"));
            assertEquals(8, checkpoint.names().size());
        }
    }

    private void assertRefused(String expected) {
        String message = TestFiles.refusal(() -> Checkpoints.open(folder));
        assertTrue(message.contains(expected), message);
    }

    private static void assertTensor(Checkpoint checkpoint, String name, float... expected) {
        assertEquals(name, checkpoint.tensor(name).name());
        assertArrayEquals(expected, checkpoint.tensor(name).toArray(), name);
    }
}
