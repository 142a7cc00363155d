package org.tornadodit.kernels.check;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.ConvolutionWeights;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.PackedWeights;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.kernels.WeightJobs;
import org.tornadodit.kernels.WeightJobs.Sent;
import org.tornadodit.kernels.WeightPacking;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Cases of the kernels that put weights in their places: every bit is the host's. */
public final class PackingCases {
    private PackingCases() {}

    /** Tensors as they are sent, one after the other, each with what it becomes as float32. */
    private static final class Parcel {
        private final FloatArray floats;
        private final WeightJobs jobs = new WeightJobs(ArrayPages.ints(WeightJobs.size()));
        private int used = 1; // an index that is not 0

        Parcel(int elements) {
            this.floats = ArrayPages.floats(1 + elements);
        }

        /** Adds a tensor; returns where it is. */
        Sent add(float[] values) {
            Sent sent = new Sent(used, values.length);
            for (int i = 0; i < values.length; i++) {
                floats.set(used + i, values[i]);
            }
            used += values.length;
            return sent;
        }
    }

    private static float[] values(long seed, int count, double deviation) {
        return Data.random(seed, count, deviation).toHeapArray();
    }

    /** Each half of an array's ints as the number that a short of these bits is. */
    private static IntToDoubleFunction halves(IntArray array) {
        return i -> (short) (array.get(i / 2) >> (i % 2 * 16));
    }

    private static KernelCase exact(
            String name,
            String shape,
            Parcel parcel,
            UnaryOperator<TaskGraph> tasks,
            List<String> names,
            int groups,
            IntArray out,
            IntArray expected,
            double bytes) {
        Map<String, WorkerGrid> grids = new HashMap<>();
        names.forEach(task -> grids.put(task, WeightPacking.grid(groups)));
        return new KernelCase(
                name,
                shape,
                new Object[] {parcel.jobs.array(), parcel.floats, out},
                tasks,
                grids,
                out,
                2 * out.getSize(),
                halves(out),
                halves(expected),
                0,
                0,
                bytes);
    }

    /**
     * Layers of an operand: the first packed as it comes, the others, with a scale that they share, where they lie.
     *
     * @param n rows of each, a multiple of 8
     * @param k columns, a multiple of 16
     * @param together how many are packed where they lie; none with one plane
     */
    public static KernelCase pack(int n, int k, int planes, int together) {
        KernelContext context = new KernelContext();
        int layer = n * k;
        int all = Math.max(1, together) * n;
        Parcel parcel = new Parcel((1 + together) * layer);
        IntArray alone = ArrayPages.ints(TensorLinear.weightSize(1, n, k, planes));
        IntArray joined = ArrayPages.ints(TensorLinear.weightSize(1, all, k, planes));
        // Each array once: TornadoVM would wait for ever for a task that writes one before it is given it again.
        List<IntArray> noInts = List.of(ArrayPages.ints(1), ArrayPages.ints(1));
        List<FloatArray> undo = some(4);
        IntArray expected = ArrayPages.ints(together > 0 ? joined.getSize() : alone.getSize());
        FloatArray bias = ArrayPages.floats(all + 1);
        float[] first = values(1, layer, 0.02);
        parcel.jobs.pack(1, parcel.add(first), 0, n, k, 0);
        List<float[]> others = IntStream.range(0, together)
                .mapToObj(i -> values(2 + i, layer, 0.01 * (1 + i)))
                .toList();
        for (int i = 0; i < together; i++) {
            parcel.jobs.place(2, parcel.add(others.get(i)), i * (n / 8) * Packed.eightRows(planes), all, k, i == 0);
        }
        WeightJobs placed = new WeightJobs(ArrayPages.ints(WeightJobs.size()));
        if (together > 0) {
            placed.packPlaced(2, together * layer, 0, all, k, 1);
        }
        PackedWeights reference = new PackedWeights(expected, bias);
        List<MemorySegment> segments = (together > 0 ? others : List.of(first))
                .stream().map(MemorySegment::ofArray).toList();
        List<MemorySegment> biases = segments.stream()
                .map(any -> MemorySegment.ofArray(new float[n]))
                .toList();
        if (together > 0) {
            reference.fillTogether(segments, biases, n, k, planes);
        } else {
            reference.fill(segments, biases, n, k, planes);
        }
        int groups = WeightPacking.groups(layer);
        FloatArray maxima = ArrayPages.deviceFloats(WeightJobs.SLOTS * groups);
        return exact(
                "packWeights " + planes + (together > 0 ? " in place" : ""),
                (1 + together) + "x" + n + "x" + k,
                parcel,
                graph -> {
                    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, placed.array())
                            .task(
                                    "largest",
                                    WeightPacking::largest,
                                    context,
                                    parcel.jobs.array(),
                                    parcel.floats,
                                    maxima,
                                    groups);
                    for (WeightJobs jobs : List.of(parcel.jobs, placed)) {
                        graph.task(
                                jobs == placed ? "pack_placed" : "pack",
                                WeightPacking::pack,
                                context,
                                jobs.array(),
                                parcel.floats,
                                maxima,
                                noInts.get(0),
                                undo.get(0),
                                alone,
                                undo.get(1),
                                joined,
                                undo.get(2),
                                noInts.get(1),
                                undo.get(3),
                                planes,
                                groups);
                    }
                    return graph;
                },
                List.of("largest", "pack", "pack_placed"),
                groups,
                together > 0 ? joined : alone,
                expected,
                (1.0 + together) * layer * (4 + 2 * Packed.halves(planes)));
    }

    /**
     * A convolution.
     *
     * @param taps see {@link ConvolutionWeights#packOnHost}
     */
    public static KernelCase convolution(int out, int in, int taps, int planes) {
        KernelContext context = new KernelContext();
        int kernel = taps == 1 ? 1 : 3;
        int size = ConvolutionWeights.size(out, in, taps, planes);
        float[] weight = values(1, out * in * kernel * kernel, 0.02);
        Parcel parcel = new Parcel(weight.length);
        IntArray packed = ArrayPages.ints(2 * size);
        IntArray expected = ArrayPages.ints(2 * size);
        FloatArray undo = ArrayPages.floats(2);
        ConvolutionWeights.packOnHost(weight, out, in, taps, planes, expected, 1);
        parcel.jobs.convolution(parcel.add(weight), size, out, in, taps, 1, 16);
        int groups = WeightPacking.groups(weight.length);
        FloatArray maxima = ArrayPages.deviceFloats(WeightJobs.SLOTS * groups);
        return exact(
                "packConvolution " + planes,
                out + "x" + in + "x" + taps + "x" + taps,
                parcel,
                graph -> graph.task(
                                "largest",
                                WeightPacking::largest,
                                context,
                                parcel.jobs.array(),
                                parcel.floats,
                                maxima,
                                groups)
                        .task(
                                "pack",
                                ConvolutionWeights::pack,
                                context,
                                parcel.jobs.array(),
                                parcel.floats,
                                maxima,
                                packed,
                                undo,
                                planes,
                                groups),
                List.of("largest", "pack"),
                groups,
                packed,
                expected,
                4.0 * (weight.length + size));
    }

    /** Two vectors of odd sizes to one array, and a 3 x 3 convolution whose channels become the last dimension. */
    public static KernelCase copy(int count, int out, int in) {
        KernelContext context = new KernelContext();
        float[] first = values(1, count, 1);
        float[] second = values(2, count + 2, 1);
        float[] weight = values(3, out * in * 9, 1);
        Parcel parcel = new Parcel(2 * count + 2 + weight.length);
        List<FloatArray> none = some(9);
        FloatArray target = ArrayPages.floats(2 * count + 3 + weight.length);
        parcel.jobs.copy(9, parcel.add(first), 0);
        parcel.jobs.copy(9, parcel.add(second), count);
        parcel.jobs.channelsLast(9, parcel.add(weight), 2 * count + 2, in);
        parcel.jobs.copy(18, new Sent(0, 1), 0); // another kernel's
        float[] expected = new float[target.getSize()];
        System.arraycopy(first, 0, expected, 0, count);
        System.arraycopy(second, 0, expected, count, count + 2);
        for (int o = 0; o < out; o++) {
            for (int c = 0; c < in; c++) {
                for (int tap = 0; tap < 9; tap++) {
                    expected[2 * count + 2 + (o * 9 + tap) * in + c] = weight[(o * in + c) * 9 + tap];
                }
            }
        }
        int groups = WeightPacking.groups(weight.length);
        return new KernelCase(
                "copyWeights",
                count + ", " + out + "x" + in + "x3x3",
                new Object[] {parcel.jobs.array(), parcel.floats, target},
                graph -> graph.task(
                        "copy",
                        WeightPacking::copy,
                        context,
                        parcel.jobs.array(),
                        8, // target 9 is array1
                        parcel.floats,
                        none.get(0),
                        target,
                        none.get(1),
                        none.get(2),
                        none.get(3),
                        none.get(4),
                        none.get(5),
                        none.get(6),
                        none.get(7),
                        none.get(8),
                        groups),
                Map.of("copy", WeightPacking.grid(groups)),
                target,
                i -> expected[i],
                0,
                0,
                8.0 * (2 * count + 2 + weight.length));
    }

    private static List<FloatArray> some(int count) {
        return Stream.generate(() -> ArrayPages.floats(2)).limit(count).toList();
    }
}
