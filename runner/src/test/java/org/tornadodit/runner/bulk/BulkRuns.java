package org.tornadodit.runner.bulk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.runner.CommandLineRun;

/** Calls of {@code bulk} with a tiny model. */
record BulkRuns(TinyModelFiles model) {
    /** Steps of pictures that are made one by one: so many that a worker is still at them when it is killed, on fast machines too. */
    static final String STEPS_TO_BE_KILLED_IN = "600";

    /** The words of a run in two steps on the CPU. */
    List<Object> words(Path output, Object... options) {
        List<Object> words = model.command(List.of("bulk"), "--num-sampling-steps", "2", "--output", output, "--quiet");
        if (!Arrays.asList(options).contains("--devices")) {
            words.addAll(List.of("--device", "cpu"));
        }
        words.addAll(Arrays.asList(options));
        return words;
    }

    CommandLineRun run(Path output, Object... options) {
        return CommandLineRun.of(words(output, options).toArray());
    }

    static CommandLineRun collect(Path folder) {
        return CommandLineRun.of("bulk", "--collect", folder, "--quiet");
    }

    /** The pictures of a folder by their names. */
    static Map<String, List<Byte>> pictures(Path folder) {
        Map<String, List<Byte>> pictures = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".png")).toList()) {
                List<Byte> bytes = new ArrayList<>();
                for (byte each : Files.readAllBytes(file)) {
                    bytes.add(each);
                }
                pictures.put(file.getFileName().toString(), bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return pictures;
    }
}
