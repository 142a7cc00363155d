package org.tornadodit.model.io.checkpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.file.Refusal;

/**
 * Names of AutoencoderKL's attention before diffusers 0.15 as its present ones: {@code query}, {@code key},
 * {@code value}, {@code proj_attn} are {@code to_q}, {@code to_k}, {@code to_v}, {@code to_out.0}. Weights stored as 1x1
 * convolutions, (C, C, 1, 1), are given as matrices, (C, C).
 */
final class DiffusersVae {

    private static final Pattern ATTENTION =
            Pattern.compile("((?:encoder|decoder)\\.mid_block\\.attentions\\.\\d{1,4}\\.)"
                    + "(query|key|value|proj_attn|to_q|to_k|to_v|to_out\\.0)\\.(weight|bias)");

    private static final Map<String, String> PRESENT =
            Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");

    private DiffusersVae() {}

    /** The same tensors under present names. */
    static Checkpoint map(StoredCheckpoint source) {
        Map<String, DerivedCheckpoint.Origin> origins = new LinkedHashMap<>();
        for (String name : source.names()) {
            Matcher attention = ATTENTION.matcher(name);
            String target = name;
            Shape shape = source.shape(name);
            if (attention.matches()) {
                String layer = attention.group(2);
                target = attention.group(1) + PRESENT.getOrDefault(layer, layer) + "." + attention.group(3);
                if (shape.rank() == 4 && shape.dim(2) == 1 && shape.dim(3) == 1) {
                    shape = Shape.of(shape.dim(0), shape.dim(1));
                }
            }
            if (origins.put(target, new DerivedCheckpoint.Origin(List.of(name), shape)) != null) {
                throw Refusal.of(source.path(), Refusal.tensor(name), "one tensor for " + target, "two");
            }
        }
        return new DerivedCheckpoint(source, origins);
    }
}
