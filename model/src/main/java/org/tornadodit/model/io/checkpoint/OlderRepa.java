package org.tornadodit.model.io.checkpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.Refusal;

/**
 * Older checkpoints of REPA name the blocks behind the projectors {@code decoder_blocks.j}: they are {@code blocks.(n + j)},
 * where n blocks have their name already, eight in those that are published.
 */
final class OlderRepa {
    private static final Pattern FIRST = Pattern.compile("blocks\\.(\\d{1,4})\\..+");
    private static final String LATER_NAME = "decoder_blocks.";
    private static final Pattern LATER = Pattern.compile("decoder_blocks\\.(\\d{1,4})\\.(.+)");

    private OlderRepa() {}

    /** Whether there are such names. */
    static boolean recognizes(Checkpoint checkpoint) {
        for (String name : checkpoint.names()) {
            if (name.startsWith(LATER_NAME) && LATER.matcher(name).matches()) {
                return true;
            }
        }
        return false;
    }

    /**
     * The same tensors under today's names.
     *
     * @throws CheckpointException when two tensors come to the same name
     */
    static Checkpoint map(StoredCheckpoint source) {
        long first = source.names().stream()
                .map(FIRST::matcher)
                .filter(Matcher::matches)
                .map(block -> block.group(1))
                .distinct()
                .count();
        Map<String, DerivedCheckpoint.Origin> origins = new LinkedHashMap<>();
        for (String name : source.names()) {
            Matcher later = LATER.matcher(name);
            String target = later.matches()
                    ? "blocks.%d.%s".formatted(first + Integer.parseInt(later.group(1)), later.group(2))
                    : name;
            if (origins.put(target, new DerivedCheckpoint.Origin(List.of(name), source.shape(name))) != null) {
                throw Refusal.of(source.path(), Refusal.tensor(name), "one tensor for " + target, "two");
            }
        }
        return new DerivedCheckpoint(source, origins);
    }
}
