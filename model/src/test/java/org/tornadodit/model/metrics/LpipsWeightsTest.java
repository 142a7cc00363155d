package org.tornadodit.model.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.CheckpointException;

class LpipsWeightsTest {

    private static final List<Integer> INDICES = List.of(0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28);

    /** VGG16 under torchvision's names, classifier included; heads from the file that lpips publishes. */
    @Test
    void joinsVggAndHeads() throws URISyntaxException {
        LpipsWeights hashed = HashedVgg.weights();
        Map<String, Tensor> vgg = vgg(hashed, "features.");
        vgg.put("classifier.0.bias", Tensor.of("classifier.0.bias", Shape.of(1), 0));
        try (Checkpoint heads = Checkpoints.open(heads())) {
            LpipsWeights weights = LpipsWeights.load(Path.of("weights"), List.of(new InMemory(vgg), heads));
            for (int stage = 0; stage < 5; stage++) {
                assertArrayEquals(
                        MetricReferences.head(stage), weights.heads().get(stage).toArray());
            }
            assertArrayEquals(
                    hashed.convolutions().get(12).weight().toArray(),
                    weights.convolutions().get(12).weight().toArray());
        }
    }

    @Test
    void saysWhatIsMissing() throws URISyntaxException {
        Path heads = heads();
        CheckpointException error = assertThrows(CheckpointException.class, () -> LpipsWeights.open(heads));
        assertEquals(
                heads + ": LPIPS weights: no tensor features.0.weight; expected torchvision's vgg16-397923af.pth and "
                        + "LPIPS' heads (vgg.pth of lpips or torchmetrics)",
                error.getMessage());
    }

    @Test
    void saysWhichShapeIsWrong() {
        Map<String, Tensor> vgg = vgg(HashedVgg.weights(), "features.");
        vgg.put("features.2.bias", Tensor.of("features.2.bias", Shape.of(1), 0));
        CheckpointException error = assertThrows(
                CheckpointException.class, () -> LpipsWeights.load(Path.of("weights"), List.of(new InMemory(vgg))));
        assertEquals("memory: features.2.bias: expected shape (64), found shape (1)", error.getMessage());
    }

    @Test
    void saysThatAFileChangedMeanwhile(@TempDir Path folder) throws Exception {
        Map<String, Tensor> vgg = vgg(HashedVgg.weights(), "features.");
        byte[] heads = Files.readAllBytes(heads());
        for (int size : new int[] {0, 4096, heads.length - 1, heads.length + 1}) {
            Path file = folder.resolve(size + ".pth");
            Files.write(file, heads);
            try (Checkpoint checkpoint = Checkpoints.open(file)) {
                Files.write(file, Arrays.copyOf(heads, size));
                CheckpointException error = assertThrows(
                        CheckpointException.class,
                        () -> LpipsWeights.load(folder, List.of(new InMemory(vgg), checkpoint)));
                assertTrue(
                        String.valueOf(error.getMessage()).startsWith(file + ": the file changed while it was read"),
                        error.getMessage());
            }
        }
    }

    @Test
    void saysThatAFolderHasNone(@TempDir Path folder) {
        CheckpointException error = assertThrows(CheckpointException.class, () -> LpipsWeights.open(folder));
        assertEquals(
                folder + ": LPIPS weights: no .pth, .pt or .safetensors file; expected torchvision's "
                        + "vgg16-397923af.pth and LPIPS' heads (vgg.pth of lpips or torchmetrics)",
                error.getMessage());
    }

    private static Path heads() throws URISyntaxException {
        return Path.of(Objects.requireNonNull(LpipsWeightsTest.class.getResource("/lpips/vgg.pth"))
                .toURI());
    }

    private static Map<String, Tensor> vgg(LpipsWeights weights, String prefix) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < INDICES.size(); i++) {
            LpipsWeights.Convolution convolution = weights.convolutions().get(i);
            tensors.put(prefix + INDICES.get(i) + ".weight", convolution.weight());
            tensors.put(prefix + INDICES.get(i) + ".bias", convolution.bias());
        }
        return tensors;
    }

    /** A checkpoint that is no file. */
    private record InMemory(Map<String, Tensor> tensors) implements Checkpoint {

        @Override
        public Path path() {
            return Path.of("memory");
        }

        @Override
        public Set<String> names() {
            return tensors.keySet();
        }

        @Override
        public Shape shape(String name) {
            return tensor(name).shape();
        }

        @Override
        public Tensor tensor(String name) {
            Tensor tensor = Objects.requireNonNull(tensors.get(name), name);
            return new Tensor(name, tensor.shape(), tensor.data());
        }

        @Override
        public void close() {}
    }
}
