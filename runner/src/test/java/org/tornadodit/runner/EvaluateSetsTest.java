package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.SafetensorsWriter;
import org.tornadodit.model.io.numpy.NpyArray;
import org.tornadodit.model.io.numpy.NpzFile;
import org.tornadodit.model.io.tensor.DType;
import org.tornadodit.model.metrics.HashedInception;
import org.tornadodit.runner.terminal.ExitCode;

/** {@code evaluate --npz} from files to words; the figures are compared with PyTorch's in the model's tests. */
class EvaluateSetsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static Path weights;

    @BeforeAll
    static void writeFiles() throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        SafetensorsWriter writer = new SafetensorsWriter();
        HashedInception.shapes().forEach((name, shape) -> {
            float[] values = new float[Math.toIntExact(shape.elements())];
            double bound = shape.rank() == 1 ? 0.1 : Math.sqrt(6.0 / (shape.elements() / shape.dim(0)));
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (random.nextDouble(-bound, bound)
                        + (name.endsWith("running_var") ? 1 : 0)
                        + (name.endsWith("bn.weight") ? 1 : 0));
            }
            writer.add(name, shape, values);
        });
        weights = Files.write(folder.resolve("inception.safetensors"), writer.end());
        for (int set = 0; set < 2; set++) {
            byte[] levels = new byte[5 * 8 * 8 * 3];
            for (int i = 0; i < levels.length; i++) {
                levels[i] = (byte) random.nextInt(256);
            }
            npz("set" + set, Map.of("arr_0", array(DType.U8, Shape.of(5, 8, 8, 3), levels)));
        }
        npz("few", Map.of("arr_0", array(DType.U8, Shape.of(3, 8, 8, 3), new byte[3 * 8 * 8 * 3])));
        npz("none", Map.of("other", array(DType.U8, Shape.of(3), new byte[3])));
        Map<String, NpyArray> statistics = new LinkedHashMap<>();
        statistics.put("mu", array(DType.F64, Shape.of(2), new byte[16]));
        statistics.put("sigma", array(DType.F64, Shape.of(2, 2), new byte[32]));
        npz("statistics", statistics);
    }

    private static NpyArray array(DType type, Shape shape, byte[] bytes) {
        return new NpyArray(type, shape, MemorySegment.ofArray(bytes));
    }

    private static void npz(String name, Map<String, NpyArray> arrays) throws IOException {
        NpzFile.write(folder.resolve(name + ".npz"), arrays);
    }

    private static CommandLineRun evaluate(String... options) {
        Object[] words = new Object[options.length + 4];
        words[0] = "evaluate";
        words[1] = "--npz";
        words[2] = "--inception-weights";
        words[3] = weights;
        for (int i = 0; i < options.length; i++) {
            words[4 + i] = options[i].startsWith("-") || options[i].equals("json")
                    ? options[i]
                    : folder.resolve(options[i] + ".npz");
        }
        return CommandLineRun.of(words);
    }

    @Test
    void printsWhatAdmsEvaluatorPrints() {
        CommandLineRun run = evaluate("set0", "set1", "set0", "--format", "json");
        assertEquals(ExitCode.DONE, run.exitCode(), run.err());
        JsonObject found = JsonParser.parseString(run.out()).getAsJsonObject();
        JsonObject other = found.getAsJsonArray("results").get(0).getAsJsonObject();
        JsonObject same = found.getAsJsonArray("results").get(1).getAsJsonObject();
        assertTrue(other.get("FID").getAsDouble() > 1, run.out());
        assertTrue(other.get("sFID").getAsDouble() > 1, run.out());
        assertTrue(other.get("Inception Score").getAsDouble() >= 1, run.out());
        assertEquals(0, same.get("FID").getAsDouble(), 1e-6);
        assertEquals(1, same.get("Precision").getAsDouble());
        assertEquals(1, same.get("Recall").getAsDouble());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "few set0;few.npz: 3 pictures, expected 4 to 1000000",
                "set0 none;none.npz: expected arr_0, uint8 pictures (N, H, W, 3), found none",
                "none set0;none.npz: expected arr_0, uint8 pictures (N, H, W, 3), or mu and sigma, found none",
                "statistics set0;statistics.npz: mu and sigma: expected 2048 and 2048 x 2048 values, found 2 and 4",
                "absent set0;absent.npz"
            })
    void refusesOtherFilesInALine(String words) {
        String[] parts = words.split(";");
        CommandLineRun run = evaluate(parts[0].split(" "));
        assertEquals(ExitCode.CHECKPOINT, run.exitCode(), run.err());
        assertTrue(run.err().contains(parts[1]), run.err());
    }

    @Test
    void optionsThatDoNotGoTogetherAreRefused() {
        CommandLineRun none =
                CommandLineRun.of("evaluate", "--npz", folder.resolve("set0.npz"), folder.resolve("set1.npz"));
        assertEquals(ExitCode.USAGE, none.exitCode());
        assertTrue(
                none.err().contains("--npz wants --inception-weights: pt_inception-2015-12-05-6726825d.pth"),
                none.err());
        CommandLineRun gates = evaluate("set0", "set1", "--resize");
        assertEquals(ExitCode.USAGE, gates.exitCode());
        assertTrue(gates.err().contains("--resize has no effect with --npz"), gates.err());
        CommandLineRun weightsAlone = CommandLineRun.of(
                "evaluate", "--inception-weights", weights, folder.resolve("a.png"), folder.resolve("b.png"));
        assertTrue(weightsAlone.err().contains("--inception-weights has no effect without --npz"), weightsAlone.err());
    }
}
