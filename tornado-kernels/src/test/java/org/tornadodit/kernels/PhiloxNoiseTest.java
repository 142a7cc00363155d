package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.check.NoiseReference;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.TensorAssert.Tolerance;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class PhiloxNoiseTest {
    /**
     * PyTorch 2.11.0 on an NVIDIA H200: torch.manual_seed(0), then torch.randn(8, 4, 64, 64, device="cuda") three
     * times; the first twelve values of each.
     */
    private static final float[][] TORCH = {
        {
            -0.924662411f,
            -0.425344229f,
            -2.6438458f,
            0.145183861f,
            -0.120866403f,
            -0.579725742f,
            -0.622851014f,
            -0.328386903f,
            -1.07454193f,
            -0.363143951f,
            -1.67105043f,
            2.26550484f
        },
        {
            0.18082583f,
            -0.552262783f,
            0.923813343f,
            -0.73497045f,
            1.37999463f,
            0.867630661f,
            0.129655927f,
            -0.940640032f,
            0.810909569f,
            0.882051349f,
            -1.01326025f,
            -0.363363266f
        },
        {
            2.54409719f,
            -0.716348886f,
            -0.493368924f,
            0.126710549f,
            0.101356566f,
            -0.403532535f,
            0.902258754f,
            0.809929729f,
            -0.68837887f,
            0.137244388f,
            1.0377394f,
            0.0925455913f
        }
    };

    @Test
    void threeCallsAgreeWithTorchOnCuda() throws Exception {
        for (int call = 0; call < TORCH.length; call++) {
            float[] drawn = draw(0, call, 131072, 0, 12);
            TensorAssert.assertClose(
                    "torch.randn call " + call, Shape.of(12), drawn, TORCH[call], new Tolerance(2e-6, 2e-6));
        }
    }

    @Test
    void aShardDrawsItsSliceOfTheStream() throws Exception {
        float[] whole = draw(5, 9, 64, 0, 700);
        float[] slice = draw(5, 9, 64, 300, 100);
        for (int i = 0; i < slice.length; i++) {
            assertEquals(whole[300 + i], slice[i], "element " + (300 + i));
        }
    }

    @Test
    void wordsAreExact() throws Exception {
        int count = 257;
        int[][] draws = {{0, 0, 0, 0, 1, 0}, {-1, -1, -1, -1, 1, 1 << 30}, {0x89abcdef, 0x01234567, 250, 0, 1, 131000}};
        for (int[] values : draws) {
            IntArray draw = IntArray.fromElements(values);
            IntArray out = new IntArray(4 * count);
            KernelContext context = new KernelContext();
            TaskGraph graph = new TaskGraph("philox")
                    .transferToDevice(DataTransferMode.FIRST_EXECUTION, draw)
                    .task("words", PhiloxNoise::words, context, draw, out, count)
                    .transferToHost(DataTransferMode.EVERY_EXECUTION, out);
            try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
                plan.withGridScheduler(new GridScheduler("philox.words", Launch.elementwise(count)))
                        .execute();
            }
            for (int i = 0; i < count; i++) {
                long[] expected = NoiseReference.words(values[2], values[3], values[5] + i, values[0], values[1]);
                for (int word = 0; word < 4; word++) {
                    assertEquals((int) expected[word], out.get(4 * i + word), "thread " + i + ", word " + word);
                }
            }
        }
    }

    @Test
    void referenceGivesTheKnownAnswerOfRandom123() {
        assertArrayEquals(
                new long[] {0x6627e8d5L, 0xe169c58dL, 0xbc57ac4cL, 0x9b00dbd8L}, NoiseReference.words(0, 0, 0, 0, 0));
    }

    private static float[] draw(int seed, int call, int torchThreads, int first, int count) throws Exception {
        IntArray draw = IntArray.fromElements(seed, 0, call, 0, torchThreads, first);
        FloatArray out = new FloatArray(count);
        KernelContext context = new KernelContext();
        TaskGraph graph = new TaskGraph("noise")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, draw)
                .task("randn", PhiloxNoise::randn, context, draw, out, count)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, out);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            plan.withGridScheduler(new GridScheduler("noise.randn", Launch.elementwise(count)))
                    .execute();
        }
        return out.toHeapArray();
    }
}
