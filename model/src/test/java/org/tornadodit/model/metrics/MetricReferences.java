package org.tornadodit.model.metrics;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.tornadodit.model.io.numpy.NpyFile;

/** The pairs of images that reference/make_metric_references.py made, and torchmetrics' values of them. */
record MetricReferences(Path folder, JsonObject json) {

    /** One pair; values as in metrics.json, NaN and infinite ones included. */
    record Pair(String name, Path folder, JsonObject json) {

        RgbImage baseline() throws IOException {
            return image("baseline");
        }

        /** As read, before it is resized to the baseline. */
        RgbImage candidate() throws IOException {
            return image("candidate");
        }

        boolean has(String value) {
            return json.has(value);
        }

        RgbImage image(String kind) throws IOException {
            return ImageFiles.read(folder.resolve(files().get(kind).getAsString()));
        }

        JsonObject files() {
            return json.getAsJsonObject("files");
        }

        OptionalDouble value(String metric) {
            if (!json.has(metric)) {
                return OptionalDouble.empty();
            }
            String text = json.get(metric).getAsString();
            return OptionalDouble.of(
                    switch (text) {
                        case "nan" -> Double.NaN;
                        case "inf" -> Double.POSITIVE_INFINITY;
                        case "-inf" -> Double.NEGATIVE_INFINITY;
                        default -> Double.parseDouble(text);
                    });
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Path data() {
        return Path.of(System.getProperty("dit.root", ".."), "reference", "data", "metrics");
    }

    /** The weights that a linear head of LPIPS gives to a stage's channels. */
    static float[] head(int stage) {
        return NpyFile.read(data().resolve("lin" + stage + ".npy")).floats();
    }

    static MetricReferences read() throws IOException {
        Path folder = data();
        return new MetricReferences(
                folder, new Gson().fromJson(Files.readString(folder.resolve("metrics.json")), JsonObject.class));
    }

    static List<Pair> pairs() throws IOException {
        MetricReferences references = read();
        List<Pair> pairs = new ArrayList<>();
        for (Map.Entry<String, JsonElement> entry :
                references.json.getAsJsonObject("pairs").entrySet()) {
            pairs.add(
                    new Pair(entry.getKey(), references.folder, entry.getValue().getAsJsonObject()));
        }
        return pairs;
    }
}
