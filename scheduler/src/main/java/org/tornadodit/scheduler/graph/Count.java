package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.ShapesAlone;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.graph.DitGraphs.DitDeviceWeights;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.StepPlan;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * What a denoising step, or a pass of the decoder, takes: found by walking {@link DitGraphs} and {@link VaeGraphs} with the
 * kernels of a tier, without a device and without weights. Nothing is allocated or launched.
 *
 * @param launches all kernels, in the order in which they first run
 * @param weightBytes of device memory that the weights take
 * @param activationBytes of device memory that all other arrays take
 */
public record Count(List<Launch> launches, long weightBytes, long activationBytes) {

    /**
     * A task.
     *
     * @param graph name of its graph
     * @param task its own name
     * @param work of one execution
     * @param times that it runs
     */
    public record Launch(String graph, String task, Work work, int times) {}

    public Count {
        launches = List.copyOf(launches);
    }

    /** A denoising step of a part, with the kernels of a tier. */
    public static Count ofStep(DitConfig config, Part part, Operations tier) {
        CountedArrays arrays = new CountedArrays();
        Operations operations = tier.with(arrays);
        DitWeights shapes = DitWeights.load(new ShapesAlone(DitWeights.specs(config)), config);
        DitGraphs graphs = new DitGraphs(
                "",
                config,
                DitDeviceWeights.of(shapes, operations),
                new DitBuffers(config, part, operations),
                StepPlan.whole(part),
                part,
                operations);
        List<Launch> launches = new ArrayList<>();
        graphs.walk((graph, times) -> new CountingScope(graph, times, launches));
        return new Count(launches, arrays.weightBytes, arrays.activationBytes);
    }

    /** A denoising step of a part, with the portable kernels: its FLOPs are any tier's. */
    public static Count ofStep(DitConfig config, Part part) {
        return ofStep(config, part, new PortableOperations(Tuning.NONE));
    }

    /** A pass of the decoder for {@code images} images. */
    public static Count ofDecoder(VaeConfig config, int latentSize, int images, DecoderTier tier) {
        CountedArrays arrays = new CountedArrays();
        VaeWeights shapes = VaeWeights.load(new ShapesAlone(VaeWeights.specs(config)), config);
        VaeGraphs graphs = new VaeGraphs("", config, shapes, new VaeBuffers(config, latentSize, images, tier, arrays));
        List<Launch> launches = new ArrayList<>();
        graphs.walk((graph, times) -> new CountingScope(graph, times, launches));
        return new Count(launches, arrays.weightBytes, arrays.activationBytes);
    }

    /** Bytes of device memory. */
    public long bytes() {
        return weightBytes + activationBytes;
    }

    /** Operations in products of matrices, a multiplication and an addition being two. */
    public double flops() {
        return sum(launch -> launch.work().flops());
    }

    /** Bytes that kernels read and write, each array of a launch once: weights and activations. */
    public double bytesMoved() {
        return sum(launch -> launch.work().weightBytes() + launch.work().activationBytes());
    }

    private double sum(ToDoubleFunction<Launch> what) {
        return launches.stream()
                .mapToDouble(launch -> launch.times() * what.applyAsDouble(launch))
                .sum();
    }

    /** What can be timed, and tuned, by itself: each operation once, those of the most work first. */
    public List<Tunable> tunables() {
        Map<OperationShape, Tunable> found = new LinkedHashMap<>();
        Map<OperationShape, Double> order = new LinkedHashMap<>();
        for (Launch launch : launches) {
            Tunable tunable = launch.work().tunable();
            if (tunable != null && launch.times() > 0) {
                found.merge(
                        tunable.operation(),
                        tunable.times(launch.times()),
                        (one, other) -> one.times(one.launches() + launch.times()));
                order.merge(tunable.operation(), launch.times() * worth(launch.work()), Double::sum);
            }
        }
        return found.values().stream()
                .sorted(Comparator.comparingDouble((Tunable one) -> -order.getOrDefault(one.operation(), 0.0)))
                .toList();
    }

    /** A rough measure of time: a device does tens of operations for each byte that it moves. */
    private static double worth(Work work) {
        return Math.max(work.flops() / 32, work.weightBytes() + work.activationBytes());
    }

    /** Notes tasks; declares and emits nothing. */
    private record CountingScope(String graph, int times, List<Launch> launches) implements GraphScope {
        @Override
        public void arrays(Consumer<TaskGraph> declaration) {}

        @Override
        public void scratch(Object... arrays) {}

        @Override
        public void task(String name, Work work, Supplier<WorkerGrid> grid, Consumer<TaskGraph> emission) {
            launches.add(new Launch(graph, name, work, times));
        }
    }

    /** Counts arrays with their headers, which devices hold too; one of a single element stands for them all. */
    private static final class CountedArrays implements ArraySource {
        private final FloatArray floats = new FloatArray(1);
        private final IntArray ints = new IntArray(1);
        private long weightBytes;
        private long activationBytes;

        private static long bytes(long elements) {
            return TornadoNativeArray.ARRAY_HEADER + Float.BYTES * elements;
        }

        @Override
        public FloatArray floats(long elements) {
            activationBytes += bytes(elements);
            return floats;
        }

        @Override
        public IntArray ints(long elements) {
            activationBytes += bytes(elements);
            return ints;
        }

        @Override
        public FloatArray deviceFloats(long elements) {
            return floats(elements);
        }

        @Override
        public IntArray deviceInts(long elements) {
            return ints(elements);
        }

        @Override
        public FloatArray weightFloats(long elements) {
            weightBytes += bytes(elements);
            return floats;
        }

        @Override
        public IntArray weightInts(long elements) {
            weightBytes += bytes(elements);
            return ints;
        }

        @Override
        public FloatArray floats(long elements, Consumer<FloatArray> fill) {
            weightBytes += bytes(elements);
            return floats;
        }

        @Override
        public IntArray ints(long elements, Consumer<IntArray> fill) {
            weightBytes += bytes(elements);
            return ints;
        }
    }
}
