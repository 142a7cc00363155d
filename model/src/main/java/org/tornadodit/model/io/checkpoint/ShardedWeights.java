package org.tornadodit.model.io.checkpoint;

import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.file.MappedFile;
import org.tornadodit.model.io.file.MappedFiles;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.file.StrictJson;
import org.tornadodit.model.io.tensor.StoredTensor;

/**
 * Weights over several files, as {@code diffusion_pytorch_model.safetensors.index.json} lists them: {@code weight_map}
 * from each tensor to a file beside the index. Every listed tensor must be there, and no other.
 */
public final class ShardedWeights {

    private static final int LARGEST_INDEX = 32 << 20;

    private ShardedWeights() {}

    /** The tensors of all shards, in the order of the index. */
    static Map<String, StoredTensor> read(Path index, MappedFiles files) {
        Map<String, String> weightMap = weightMap(index, MappedFile.read(index, LARGEST_INDEX));
        Map<String, Map<String, StoredTensor>> shards = new HashMap<>();
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        weightMap.forEach((name, fileName) -> {
            Path shard = index.resolveSibling(fileName);
            @Nullable
            StoredTensor found = shards.computeIfAbsent(
                            fileName, unread -> WeightFormat.of(shard).read(shard, files))
                    .get(name);
            if (found == null) {
                throw Refusal.of(shard, Refusal.tensor(name), "a tensor of this name, as the index says", "none");
            }
            tensors.put(name, found);
        });
        shards.forEach((fileName, shard) -> {
            for (String name : shard.keySet()) {
                if (!fileName.equals(weightMap.get(name))) {
                    throw Refusal.of(
                            index.resolveSibling(fileName), Refusal.tensor(name), "only tensors of the index", "it");
                }
            }
        });
        return tensors;
    }

    /** From each tensor's name to its file's. */
    public static Map<String, String> weightMap(Path index, byte[] json) {
        Map<String, String> weightMap = new LinkedHashMap<>();
        try (JsonReader reader = StrictJson.reader(json)) {
            reader.beginObject();
            while (reader.hasNext()) {
                if (reader.nextName().equals("weight_map")) {
                    reader.beginObject();
                    while (reader.hasNext()) {
                        String name = reader.nextName();
                        if (reader.peek() != JsonToken.STRING
                                || weightMap.put(name, plainName(index, reader.nextString())) != null) {
                            throw Refusal.of(index, Refusal.tensor(name), "one file name", "something else");
                        }
                    }
                    reader.endObject();
                } else {
                    reader.skipValue();
                }
            }
            reader.endObject();
        } catch (IOException | IllegalStateException | JsonParseException malformed) {
            throw Refusal.of(
                    index, "expected a JSON index with a weight_map, found " + Refusal.json(malformed), malformed);
        }
        if (weightMap.isEmpty()) {
            throw Refusal.of(index, "index", "a weight_map with tensors", "none");
        }
        return weightMap;
    }

    /** Shards lie beside their index: nothing else on the machine is opened for it. */
    private static String plainName(Path index, String fileName) {
        boolean plain = !fileName.isEmpty()
                && !fileName.equals(".")
                && !fileName.equals("..")
                && fileName.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || Character.isISOControl(c));
        if (!plain) {
            throw Refusal.of(index, "weight_map", "names of files beside the index", Refusal.printable(fileName));
        }
        return fileName;
    }
}
