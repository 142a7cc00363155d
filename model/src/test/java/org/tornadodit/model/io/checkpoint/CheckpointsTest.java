package org.tornadodit.model.io.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.SafetensorsWriter;
import org.tornadodit.model.io.TestFiles;
import org.tornadodit.model.io.tensor.TensorSpec;

class CheckpointsTest {

    @TempDir
    Path folder;

    @Test
    void tellsWhatIsWrongWithAFileThatIsNoCheckpoint() throws IOException {
        assertRefused("no such file", folder.resolve("missing.pt"));
        assertRefused("found an empty file", write("empty.pt", ""));
        assertRefused("found a file that starts with 'These are not we'", write("text.pt", "These are not weights.\n"));
        assertRefused("safetensors header", write("text.safetensors", "These are not weights.\n"));
        assertRefused("Git LFS pointer", write("lfs.pt", "version https://git-lfs.github.com/spec/v1\noid sha256:0"));
        assertRefused("a web page", write("page.pt", "\n<!DOCTYPE html><html>"));
        assertRefused("not a sound zip archive", write("cut.pt", "PK\u0003\u0004 and nothing more"));
        assertRefused("expected diffusion_pytorch_model.safetensors or .bin", folder);
        Files.createSymbolicLink(folder.resolve("dangling.pt"), folder.resolve("nowhere"));
        assertRefused("no such file", folder.resolve("dangling.pt"));
        assertRefused("no such file", write("text", "x").resolve("below.pt"));
    }

    @Test
    void refusesDevices() {
        Path device = Path.of("/dev/zero");
        Assumptions.assumeTrue(Files.exists(device));
        assertRefused("found a device or pipe", device);
    }

    @Test
    void prefersSafetensorsInAFolder() throws IOException {
        Path transformer = Files.createDirectory(folder.resolve("transformer"));
        Files.write(transformer.resolve("diffusion_pytorch_model.bin"), new byte[5]);
        Files.write(
                transformer.resolve("diffusion_pytorch_model.safetensors"),
                new SafetensorsWriter().count("pos_embed", Shape.of(1), 3).end());
        for (Path path : List.of(folder, transformer)) {
            try (Checkpoint checkpoint = Checkpoints.open(path)) {
                assertArrayEquals(
                        new float[] {3}, checkpoint.tensor("pos_embed").toArray());
            }
        }
        Files.copy(TestFiles.resource("views.pt"), folder.resolve("diffusion_pytorch_model.bin"));
        try (Checkpoint checkpoint = Checkpoints.openVae(folder)) {
            assertEquals(Shape.of(2, 3), checkpoint.shape("plain"));
        }
    }

    @Test
    void findsTheFolderOfTheConfiguration() throws IOException {
        assertEquals(Optional.empty(), Checkpoints.configFolder(folder, "vae"));
        Path vae = Files.createDirectory(folder.resolve("vae"));
        write("vae/config.json", "{}");
        assertEquals(Optional.of(vae), Checkpoints.configFolder(folder, "vae"));
        assertEquals(Optional.of(vae), Checkpoints.configFolder(vae, "vae"));
        assertEquals(Optional.of(vae), Checkpoints.configFolder(vae.resolve("model.bin"), "vae"));
    }

    @Test
    void joinsShards() throws IOException {
        shard("one.safetensors", "a", 1);
        shard("two.safetensors", "b", 2);
        Path index = index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}");
        for (Path path : List.of(index, folder)) {
            try (Checkpoint checkpoint = Checkpoints.open(path)) {
                assertEquals(List.of("a", "b"), List.copyOf(checkpoint.names()));
                assertArrayEquals(new float[] {2, 3}, checkpoint.tensor("b").toArray());
            }
        }
    }

    @Test
    void refusesBadShards() throws IOException {
        shard("one.safetensors", "a", 1);
        assertRefused("two.safetensors: no such file", index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}"));
        assertRefused("tensor b: expected a tensor", index("{\"b\":\"one.safetensors\"}"));
        shard("two.safetensors", "c", 1);
        assertRefused("tensor c: expected a tensor", index("{\"a\":\"one.safetensors\",\"c\":\"one.safetensors\"}"));
        Files.write(
                folder.resolve("two.safetensors"),
                new SafetensorsWriter()
                        .count("b", Shape.of(1), 0)
                        .count("a", Shape.of(1), 0)
                        .end());
        assertRefused(
                "tensor a: expected only tensors of the index",
                index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}"));
        for (String name : List.of("../one.safetensors", "/etc/passwd", "..", ".", "", "a\\\\b", "C:x", "x\\u0000")) {
            assertRefused("names of files beside the index", index("{\"a\":\"" + name + "\"}"));
        }
        assertRefused("one file name", index("{\"a\":1}"));
        assertRefused("two keys a", index("{\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"}"));
        assertRefused("a weight_map with tensors", index("{}"));
        assertRefused("expected a JSON index", write("x.safetensors.index.json", "nonsense"));
    }

    @Test
    void checksNamesAndShapes() throws IOException {
        Path file = folder.resolve("m.safetensors");
        SafetensorsWriter writer = new SafetensorsWriter();
        for (int i = 0; i < 8; i++) {
            writer.count("t" + i, Shape.of(2, 1), 0);
        }
        Files.write(file, writer.end());
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            CheckpointCheck.requireExactly(
                    checkpoint, List.of(new TensorSpec("t0", Shape.of(2, 1))), name -> !name.equals("t0"));
            String shape = TestFiles.refusal(() -> CheckpointCheck.requireExactly(
                    checkpoint, List.of(new TensorSpec("t0", Shape.of(2, 2))), name -> true));
            assertEquals(file + ": tensor t0: expected shape (2, 2), found shape (2, 1)", shape);
            String names = TestFiles.refusal(() -> CheckpointCheck.requireExactly(
                    checkpoint, List.of(new TensorSpec("x", Shape.of(2, 2))), name -> name.equals("t1")));
            assertEquals(
                    file + ": not the tensors of this model: missing x; surplus t0, t2, t3, t4, t5 and 2 more", names);
        }
    }

    @Test
    void releasesTheMappingOnClose() throws IOException {
        shard("one.safetensors", "a", 1);
        Checkpoint checkpoint = Checkpoints.open(folder.resolve("one.safetensors"));
        Tensor tensor = checkpoint.tensor("a");
        checkpoint.close();
        checkpoint.close();
        assertThrows(IllegalStateException.class, () -> tensor.get(0));
    }

    private void shard(String name, String tensor, float first) throws IOException {
        Files.write(
                folder.resolve(name),
                new SafetensorsWriter().count(tensor, Shape.of(2), first).end());
    }

    private Path index(String weightMap) throws IOException {
        return write(
                "diffusion_pytorch_model.safetensors.index.json",
                "{\"metadata\":{\"total_size\":1},\"weight_map\":" + weightMap + "}");
    }

    private Path write(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    private static void assertRefused(String expected, Path path) {
        String message = TestFiles.refusal(() -> Checkpoints.open(path));
        assertTrue(message.contains(expected), message);
    }
}
