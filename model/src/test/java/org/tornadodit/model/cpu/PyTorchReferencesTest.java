package org.tornadodit.model.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.TensorAssert.Tolerance;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.dit.PositionEmbedding;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.numpy.NpyArray;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;

/**
 * Every part of the models against PyTorch's strict float32, within 1e-5 of the norm or 4 times PyTorch's own distance
 * to float64. The folders are made by reference/make_references.py.
 */
class PyTorchReferencesTest {

    private static final Path DATA = Path.of(System.getProperty("dit.root"), "reference", "data");

    private static final double BOUND = 1e-5;

    /** Parts that the engine computes together with the next one. */
    private static final Pattern FUSED = Pattern.compile(".*norm[12]|.*norm_final|.*norm_out|.*group_norm"
            + "|.*adaLN_modulation\\.0|t_embedder\\.mlp\\.1|x_embedder\\.proj|.*to_out\\.0");

    /** PyTorch's modules that end with another one have the same output. */
    private static final Map<String, String> LAST_OF = Map.of(
            ".attn.proj", ".attn",
            ".mlp.fc2", ".mlp",
            "adaLN_modulation.1", "adaLN_modulation",
            "t_embedder.mlp.2", "t_embedder",
            "t_embedder.mlp", "t_embedder",
            "y_embedder.embedding_table", "y_embedder",
            "final_layer.linear", "final_layer",
            "upsamplers.0.conv", "upsamplers.0");

    private record Seen(Shape shape, float[] values) {}

    static List<String> ditCases() throws IOException {
        try (Stream<Path> folders = Files.list(DATA)) {
            return folders.map(folder -> folder.getFileName().toString())
                    .filter(name -> name.startsWith("dit-"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void thereAreCases() throws IOException {
        assertTrue(ditCases().size() >= 4, "cases: " + ditCases());
    }

    @ParameterizedTest
    @MethodSource("ditCases")
    void everyPartOfDitIsPyTorchs(String name) throws IOException {
        Path folder = DATA.resolve(name);
        Map<String, Double> distances = distances(folder);
        DitConfig config = DitConfig.fromJson(folder);
        Map<String, Seen> seen = new HashMap<>();
        try (Checkpoint checkpoint = Checkpoints.open(checkpointIn(folder));
                CpuDit dit = new CpuDit(config, DitWeights.load(checkpoint, config), CpuOptions.defaults())) {
            dit.observe((module, shape, values) -> seen.put(module, new Seen(shape, values)));
            NpyArray x = NpyFile.read(folder.resolve("input.x.npy"));
            double[] t = timesteps(folder);
            int[] labels = labels(folder.resolve("input.y.npy"));
            float[] output = dit.forward(x.floats(), t, labels, labels.length);
            NpyArray expected = NpyFile.read(folder.resolve("output.npy"));
            assertNear(name + " output", expected.shape(), output, expected, distanceOf(distances, "output"));
            assertNearFloat64(folder, output, distanceOf(distances, "output"));
        }
        compareParts(folder, name, seen, distances);
    }

    @ParameterizedTest
    @MethodSource("ditCases")
    void guidanceIsPyTorchs(String name) throws IOException {
        Path folder = DATA.resolve(name);
        Map<String, Double> distances = distances(folder);
        DitConfig config = DitConfig.fromJson(folder);
        float[] x = NpyFile.read(folder.resolve("input.x.npy")).floats();
        double[] t = timesteps(folder);
        int[] labels = labels(folder.resolve("cfg.y.npy"));
        int n = t.length;
        double[] twice = Arrays.copyOf(t, 2 * n);
        System.arraycopy(t, 0, twice, n, n);
        try (Checkpoint checkpoint = Checkpoints.open(checkpointIn(folder));
                CpuDit dit = new CpuDit(config, DitWeights.load(checkpoint, config), CpuOptions.defaults())) {
            for (Guidance guidance : Guidance.values()) {
                String file = guidance == Guidance.ALL ? "cfg_all.output" : "cfg_3.output";
                float[] output =
                        dit.forwardWithGuidance(Arrays.copyOf(x, 2 * x.length), twice, labels, 2 * n, 4.0, guidance);
                NpyArray expected = NpyFile.read(folder.resolve(file + ".npy"));
                assertNear(name + " " + file, expected.shape(), output, expected, distanceOf(distances, file));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"vae-tiny", "vae-tiny-bin", "vae-tiny-bin-old-names"})
    void everyPartOfTheDecoderIsPyTorchs(String name) throws IOException {
        Path vae = DATA.resolve(name);
        Path folder = DATA.resolve("vae-tiny").resolve("decode");
        Map<String, Double> distances = distances(folder);
        VaeConfig config = VaeConfig.fromJson(vae);
        Map<String, Seen> seen = new HashMap<>();
        try (Checkpoint checkpoint = Checkpoints.openVae(vae);
                CpuVaeDecoder decoder =
                        new CpuVaeDecoder(config, VaeWeights.load(checkpoint, config), CpuOptions.defaults())) {
            decoder.observe((module, shape, values) -> seen.put(module, new Seen(shape, values)));
            NpyArray divided = NpyFile.read(folder.resolve("input.npy"));
            float[] latents = divided.floats();
            for (int i = 0; i < latents.length; i++) {
                latents[i] *= (float) config.scalingFactor(); // a power of two: exact
            }
            int height = (int) divided.shape().dim(2);
            int width = (int) divided.shape().dim(3);
            float[] output = decoder.decode(latents, 1, height, width);
            NpyArray expected = NpyFile.read(folder.resolve("output.npy"));
            assertNear(name + " output", expected.shape(), output, expected, distanceOf(distances, "output"));
            assertNearFloat64(folder, output, distanceOf(distances, "output"));
        }
        compareParts(folder, name, seen, distances);
    }

    @ParameterizedTest
    @MethodSource("ditCases")
    void positionsAreThoseOfTheCheckpoint(String name) {
        Path folder = DATA.resolve(name);
        DitConfig config = DitConfig.fromJson(folder);
        try (Checkpoint checkpoint = Checkpoints.open(checkpointIn(folder))) {
            TensorAssert.assertClose(
                    name + " pos_embed",
                    Shape.of(1, config.tokens(), config.hiddenSize()),
                    PositionEmbedding.sinCos(config.hiddenSize(), config.gridSize()),
                    checkpoint.tensor("pos_embed").toArray(),
                    Tolerance.absolute(name.equals("dit-p2-head72") ? 2.5e-4 : 6e-8)); // that one is stored as float16
        }
    }

    private static void compareParts(Path folder, String name, Map<String, Seen> seen, Map<String, Double> distances) {
        List<String> unseen = new ArrayList<>();
        Map<String, Seen> left = new HashMap<>(seen);
        for (Map.Entry<String, Double> recorded : distances.entrySet()) {
            String module = recorded.getKey();
            if (module.contains("output")
                    || module.startsWith("encode")
                    || FUSED.matcher(module).matches()) {
                continue;
            }
            String part = module;
            for (Map.Entry<String, String> last : LAST_OF.entrySet()) {
                if (module.endsWith(last.getKey())) {
                    part = module.substring(0, module.length() - last.getKey().length()) + last.getValue();
                }
            }
            Seen actual = seen.get(part);
            if (actual == null) {
                unseen.add(module);
                continue;
            }
            left.remove(part);
            NpyArray expected = NpyFile.read(folder.resolve(module + ".npy"));
            assertNear(name + " " + module, actual.shape, actual.values, expected, recorded.getValue());
        }
        assertEquals(List.of(), unseen, "recorded by PyTorch, not shown by the engine");
        assertEquals(Map.of(), left, "shown by the engine, not recorded by PyTorch");
        assertFalse(seen.isEmpty());
    }

    private static void assertNear(String name, Shape shape, float[] actual, NpyArray expected, double float32Error) {
        assertEquals(expected.shape(), shape, name);
        TensorAssert.assertRelativeError(name, shape, actual, expected.floats(), Math.max(BOUND, 4 * float32Error));
    }

    /** The bound that float32 itself sets: 4 times PyTorch's distance, whatever that is. */
    private static void assertNearFloat64(Path folder, float[] actual, double float32Error) {
        NpyArray exact = NpyFile.read(folder.resolve("output_float64.npy"));
        TensorAssert.assertRelativeError(
                folder + " against float64", exact.shape(), actual, exact.doubles(), 4 * float32Error);
    }

    private static Path checkpointIn(Path folder) {
        Path safetensors = folder.resolve("checkpoint.safetensors");
        return Files.exists(safetensors) ? safetensors : folder.resolve("checkpoint.pt");
    }

    private static double[] timesteps(Path folder) {
        return Arrays.stream(NpyFile.read(folder.resolve("input.t.npy")).longs())
                .asDoubleStream()
                .toArray();
    }

    private static int[] labels(Path file) {
        return Arrays.stream(NpyFile.read(file).longs())
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    private static double distanceOf(Map<String, Double> distances, String name) {
        return Objects.requireNonNull(distances.get(name), name);
    }

    private static Map<String, Double> distances(Path folder) throws IOException {
        JsonObject manifest = JsonParser.parseString(Files.readString(folder.resolve("manifest.json")))
                .getAsJsonObject();
        Map<String, Double> distances = new HashMap<>();
        manifest.getAsJsonObject("float64_distance")
                .entrySet()
                .forEach(entry -> distances.put(entry.getKey(), entry.getValue().getAsDouble()));
        return distances;
    }
}
