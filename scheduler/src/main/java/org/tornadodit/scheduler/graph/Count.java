package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntFunction;
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
import org.tornadodit.scheduler.plan.Link;
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
 * @param activationBytes of device memory that all other arrays take, with those that weights pass through
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

    /** A denoising step of a part, with the kernels of a tier; devices reach each other, and draw the noise. */
    public static Count ofStep(DitConfig config, Part part, Operations tier) {
        return ofStep(config, part, tier, Link.PEERS, false);
    }

    /**
     * A denoising step of a part, with the kernels of a tier.
     *
     * @param link between the devices of the crew
     * @param hostNoise whether the noise comes from the host, or is drawn on the device
     */
    static Count ofStep(DitConfig config, Part part, Operations tier, Link link, boolean hostNoise) {
        CountedArrays arrays = new CountedArrays();
        Operations operations = tier.with(arrays);
        DitWeights shapes = DitWeights.load(new ShapesAlone(DitWeights.specs(config)), config);
        DitGraphs graphs = new DitGraphs(
                "",
                config,
                DitDeviceWeights.of(shapes, operations, part),
                new DitBuffers(config, part, operations, link),
                StepPlan.whole(part),
                part,
                operations);
        Counting counting = new Counting(arrays);
        graphs.walk(counting::scope, hostNoise);
        return counting.count();
    }

    /** A denoising step of a part, with the portable kernels: its FLOPs are any tier's. */
    public static Count ofStep(DitConfig config, Part part) {
        return ofStep(config, part, new PortableOperations(Tuning.NONE));
    }

    /** A pass of the decoder for {@code images} images. */
    public static Count ofDecoder(VaeConfig config, int latentSize, int images, DecoderTier tier) {
        return ofDecoder(Bands.whole(config, latentSize), config, latentSize, images, tier, Link.PEERS);
    }

    /**
     * As above, of a device that decodes some rows: of one image then.
     *
     * @param link between the devices of the crew
     */
    static Count ofDecoder(Bands bands, VaeConfig config, int latentSize, int images, DecoderTier tier, Link link) {
        CountedArrays arrays = new CountedArrays();
        VaeWeights shapes = VaeWeights.load(new ShapesAlone(VaeWeights.specs(config)), config);
        VaeBuffers buffers = new VaeBuffers(bands, config, latentSize, images, tier, arrays, link);
        VaeGraphs graphs = new VaeGraphs("", config, shapes, buffers);
        Counting counting = new Counting(arrays);
        graphs.walk(counting::scope);
        return counting.count();
    }

    /** A pass of the decoder, with the portable kernels: its FLOPs are any tier's. */
    public static Count ofDecoder(VaeConfig config, int latentSize, int images) {
        return ofDecoder(config, latentSize, images, DecoderTier.PORTABLE);
    }

    /** Arrays that are not there, for graphs that are looked at only. */
    static ArraySource sizesAlone() {
        return new CountedArrays();
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

    /** A walk: what its graphs launch and have on the device, each its own arrays but for those that it takes over. */
    private static final class Counting {
        private final CountedArrays arrays;
        private final List<Launch> launches = new ArrayList<>();
        private final List<CountingScope> scopes = new ArrayList<>();

        Counting(CountedArrays arrays) {
            this.arrays = arrays;
        }

        GraphScope scope(String graph, int times) {
            CountingScope scope = new CountingScope(graph, times, launches);
            scopes.add(scope);
            return scope;
        }

        Count count() {
            long weights = 0;
            long activations = 0;
            for (CountingScope scope : scopes) {
                for (Object array : scope.own) {
                    long bytes = arrays.bytes(array);
                    if (arrays.isWeights(array)) {
                        weights += bytes;
                    } else {
                        activations += bytes;
                    }
                }
            }
            return new Count(launches, weights, activations);
        }
    }

    /** Notes tasks and arrays; launches nothing. */
    private static final class CountingScope implements GraphScope {
        private final String graph;
        private final int times;
        private final List<Launch> launches;
        /** What it has on the device and no other graph gives it. */
        private final Set<Object> own = Collections.newSetFromMap(new IdentityHashMap<>());

        private final Set<Object> consumed = Collections.newSetFromMap(new IdentityHashMap<>());

        CountingScope(String graph, int times, List<Launch> launches) {
            this.graph = graph;
            this.times = times;
            this.launches = launches;
        }

        private void has(Object... arrays) {
            for (Object array : arrays) {
                if (!consumed.contains(array)) {
                    own.add(array);
                }
            }
        }

        @Override
        public void consume(String from, Object... arrays) {
            for (Object array : arrays) {
                consumed.add(array);
                own.remove(array);
            }
        }

        @Override
        public void sendOnce(Object... arrays) {
            has(arrays);
        }

        @Override
        public void sendEach(Object... arrays) {
            has(arrays);
        }

        @Override
        public void keep(Object... arrays) {
            has(arrays);
        }

        @Override
        public void receive(Object... arrays) {
            has(arrays);
        }

        @Override
        public void scratch(Object... arrays) {
            has(arrays);
        }

        @Override
        public void task(String name, Work work, Supplier<WorkerGrid> grid, Consumer<TaskGraph> emission) {
            launches.add(new Launch(graph, name, work, times));
        }

        @Override
        public void task(String name, Work work, IntFunction<WorkerGrid> grid, Consumer<TaskGraph> emission) {
            launches.add(new Launch(graph, name, work, times));
        }
    }

    /** Knows the sizes of arrays, headers included, that are not there: an array of one element stands for each. */
    private static final class CountedArrays implements ArraySource {
        private final IdentityHashMap<Object, Long> sizes = new IdentityHashMap<>();
        private final Set<Object> weights = Collections.newSetFromMap(new IdentityHashMap<>());

        /** @throws IllegalStateException when a graph has an array that is not from here */
        long bytes(Object array) {
            Long bytes = sizes.get(array);
            if (bytes == null) {
                throw new IllegalStateException("a graph has an array that no ArraySource made: " + array);
            }
            return bytes;
        }

        boolean isWeights(Object array) {
            return weights.contains(array);
        }

        private <A> A sized(A array, long elements) {
            sizes.put(array, TornadoNativeArray.ARRAY_HEADER + Float.BYTES * elements);
            return array;
        }

        @Override
        public FloatArray floats(long elements) {
            return sized(new FloatArray(1), elements);
        }

        @Override
        public IntArray ints(long elements) {
            return sized(new IntArray(1), elements);
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
            FloatArray array = floats(elements);
            weights.add(array);
            return array;
        }

        @Override
        public IntArray weightInts(long elements) {
            IntArray array = ints(elements);
            weights.add(array);
            return array;
        }

        @Override
        public FloatArray floats(long elements, Consumer<FloatArray> fill) {
            return weightFloats(elements);
        }

        @Override
        public IntArray ints(long elements, Consumer<IntArray> fill) {
            return weightInts(elements);
        }
    }
}
