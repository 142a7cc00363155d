package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.DecoderRun;
import org.tornadodit.kernels.Launch;
import org.tornadodit.model.Linear;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.model.vae.VaeWeights.Resnet;
import org.tornadodit.model.vae.VaeWeights.UpBlock;
import org.tornadodit.scheduler.device.DevicePlan;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.graph.WeightStaging.Passage;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * AutoencoderKL's decoder as task graphs: head (post_quant_conv, conv_in), residual layers, the middle's attention,
 * upsamplers, tail (norm, conv_out). Residual layers of the same sizes share a graph, which finds its weights by a layer
 * index, so that each is compiled once. The device counts that index up itself, and the host sends all before the first
 * graph, so that a pass can be recorded, and be one launch. A pass of fewer images than there is room for takes as much less:
 * its launches have fewer threads, and the kernels that take tiles in turn read how many images there are.
 */
public final class VaeGraphs {

    private static final String WEIGHTS = "weights_";
    private static final String BEGIN = "begin";

    /** What a graph does. */
    private enum Kind {
        HEAD,
        RESNET,
        ATTENTION,
        UPSAMPLER,
        TAIL
    }

    /** A graph: what it does, on how many channels, at which size (of its input, pixels a side). */
    private record Stage(Kind kind, int in, int out, int size) {
        String name() {
            return kind.name().toLowerCase(Locale.ROOT) + "_" + in + "_" + out + "_" + size;
        }
    }

    private final String prefix;
    private final VaeWeights weights;
    private final VaeBuffers buffers;
    private final DecoderOperations operations;
    private final BandExchanges exchanges;
    private final Map<Stage, List<Object>> layers = new LinkedHashMap<>();
    private final Map<Stage, Set<Stage>> predecessors = new LinkedHashMap<>();
    /** Of each stage: what its kernels ask which layer it is, for how many images. */
    private final Map<Stage, IntArray> runs = new LinkedHashMap<>();
    /** Graphs of a pass. */
    private final List<Integer> order = new ArrayList<>();

    private final List<DecoderGrid> grids = new ArrayList<>();
    private @Nullable Stage last;
    private @Nullable WeightStaging staging;
    private int begin;
    /** Whether each graph has run, and its weights are on the device. */
    private boolean ran;

    public VaeGraphs(String prefix, VaeConfig config, VaeWeights weights, VaeBuffers buffers) {
        this.prefix = prefix;
        this.weights = weights;
        this.buffers = buffers;
        this.exchanges = new BandExchanges(buffers);
        this.operations = buffers.tier.isPortable()
                ? new PortableDecoder(buffers, config, exchanges)
                : new TensorDecoder(buffers, config, weights, exchanges);
        plan(config);
    }

    /** The order of diffusers' {@code Decoder.forward}. */
    private void plan(VaeConfig config) {
        int channels = config.midChannels();
        int size = buffers.latentSize;
        add(Kind.HEAD, config.latentChannels(), channels, size, weights);
        add(Kind.RESNET, channels, channels, size, weights.midFirst());
        if (weights.midAttention() != null) {
            add(Kind.ATTENTION, channels, channels, size, weights.midAttention());
        }
        add(Kind.RESNET, channels, channels, size, weights.midSecond());
        for (UpBlock block : weights.upBlocks()) {
            for (Resnet resnet : block.resnets()) {
                int out = resnet.conv1().out();
                add(Kind.RESNET, channels, out, size, resnet);
                channels = out;
            }
            if (block.upsampler() != null) {
                add(Kind.UPSAMPLER, channels, channels, size, block.upsampler());
                size *= 2;
            }
        }
        add(Kind.TAIL, channels, config.outChannels(), size, weights);
    }

    private void add(Kind kind, int in, int out, int size, Object parameters) {
        Stage stage = new Stage(kind, in, out, size);
        layers.computeIfAbsent(stage, s -> new ArrayList<>()).add(parameters);
        runs.computeIfAbsent(stage, s -> buffers.arrays.ints(DecoderRun.LENGTH));
        order.add(List.copyOf(layers.keySet()).indexOf(stage));
        Set<Stage> before = predecessors.computeIfAbsent(stage, s -> new LinkedHashSet<>());
        if (last != null) {
            before.add(last);
        }
        last = stage;
    }

    /**
     * One pass: decodes what {@link VaeBuffers#latents} begin with, and brings the images to the host.
     *
     * @param device has the graphs of {@link #build}
     * @param images as many as there is room for at most
     * @param meanwhile what the host does while the device decodes, or before that where it is not recorded
     * @return of the last graph
     */
    public TornadoExecutionResult decode(DevicePlan device, int images, Runnable meanwhile) {
        resize(images);
        if (ran) {
            device.prepare(order);
        }
        if (!device.isRecorded(order)) {
            meanwhile.run();
        }
        TornadoExecutionResult result = ran ? device.execute(order, meanwhile) : first(device);
        ran = true;
        result.transferToHost(operations.results());
        return result;
    }

    /** As above. */
    public TornadoExecutionResult decode(DevicePlan device, int images) {
        return decode(device, images, () -> {});
    }

    /** The first execution of a graph sends what it keeps: one waits for the other. */
    private TornadoExecutionResult first(DevicePlan device) {
        order.subList(0, order.size() - 1).forEach(device::execute);
        return device.execute((int) order.getLast());
    }

    /**
     * Makes ready a pass that comes next, see {@link DevicePlan#prepare}: for devices that decode a picture together.
     */
    public void prepare(DevicePlan device, int images) {
        resize(images);
        device.prepare(order);
    }

    /** Has the device record a pass, once there has been one of any number of images; see {@link DevicePlan#record}. */
    public void record(DevicePlan device, int images) {
        resize(images);
        device.record(order);
    }

    private void resize(int images) {
        if (images < 1 || images > buffers.count) {
            throw new IllegalArgumentException("%d images, room for %d".formatted(images, buffers.count));
        }
        grids.forEach(grid -> grid.resize(images));
        for (IntArray run : runs.values()) {
            run.set(DecoderRun.LAYER, 0);
            run.set(DecoderRun.IMAGES, images);
        }
    }

    /** After a pass: PyTorch's name of the layer whose input did not fit its representation, if there was one. */
    public Optional<String> overflow() {
        return operations.overflow();
    }

    /**
     * All graphs, in the order of their first executions, then those that load weights.
     *
     * @param scheduler gets the launch of every task
     */
    public List<ImmutableTaskGraph> build(GridScheduler scheduler) {
        List<ImmutableTaskGraph> graphs = new ArrayList<>();
        for (Stage stage : layers.keySet()) {
            TaskGraphScope scope = new TaskGraphScope(prefix + stage.name(), scheduler, buffers.count);
            write(scope, stage);
            grids.addAll(scope.imageGrids());
            graphs.add(scope.snapshot());
        }
        staging = staging();
        if (staging != null) {
            graphs.addAll(staging.build(scheduler));
        }
        if (buffers.ties != null) {
            TaskGraphScope scope = new TaskGraphScope(prefix + BEGIN, scheduler);
            begin(scope);
            graphs.add(scope.snapshot());
            begin = graphs.size() - 1;
        }
        return graphs;
    }

    /** The way of the weights that do not go with a graph; null when all do. To be called when all graphs are written. */
    private @Nullable WeightStaging staging() {
        List<StagedWeights> staged = operations.staged();
        if (staged.isEmpty()) {
            return null;
        }
        Passage passage = Passage.of(buffers.arrays, List.of(staged));
        String before = buffers.ties == null ? null : prefix + BEGIN;
        return new WeightStaging(buffers.arrays, passage, prefix + WEIGHTS, before, exchanges.state(), staged);
    }

    /** Sends the weights that do not go with a graph. Once, before anything is decoded. */
    public void load(DevicePlan device) {
        if (buffers.ties != null) {
            device.execute(begin);
        }
        if (staging != null) {
            staging.run(device, layers.size());
        }
    }

    /**
     * Writes the graphs into other scopes than task graphs.
     *
     * @param scopes makes them, of a graph's name and how often it runs in a pass
     */
    void walk(BiFunction<String, Integer, GraphScope> scopes) {
        layers.forEach((stage, parameters) -> write(scopes.apply(stage.name(), parameters.size()), stage));
        WeightStaging weightStaging = staging();
        if (weightStaging != null) {
            weightStaging.walk(scopes);
        }
        if (buffers.ties != null) {
            begin(scopes.apply(BEGIN, 0));
        }
    }

    private void begin(GraphScope g) {
        exchanges.begin(g, new PortableOperations(Tuning.NONE));
        g.keep(exchanges.state());
    }

    private void write(GraphScope g, Stage stage) {
        IntArray run = Objects.requireNonNull(runs.get(stage));
        buffers.begin(run);
        Object[] carried = Stream.of(
                        exchanges.with(operations.carried()), runs.values().toArray())
                .flatMap(Arrays::stream)
                .toArray();
        for (Stage before : predecessors.getOrDefault(stage, Set.of())) {
            g.consume(prefix + before.name(), carried);
        }
        if (stage.kind() == Kind.HEAD && operations.weights().length > 0) {
            g.consume(prefix + WEIGHTS + "load", operations.weights());
            g.consume(prefix + Objects.requireNonNull(last).name(), operations.weights());
        }
        if (stage.kind() == Kind.HEAD) {
            g.sendEach(runs.values().toArray());
        }
        if (stage.kind() == Kind.HEAD && buffers.ties != null) {
            g.consume(prefix + (operations.weights().length == 0 ? BEGIN : WEIGHTS + "load"), exchanges.state());
            g.consume(prefix + Objects.requireNonNull(last).name(), exchanges.state());
            g.sendEach(exchanges.links());
        }
        List<Object> parameters = layers.getOrDefault(stage, List.of());
        switch (stage.kind()) {
            case HEAD -> operations.head(g, weights, stage.out());
            case RESNET ->
                operations.resnet(
                        g, parameters.stream().map(Resnet.class::cast).toList(), stage.in(), stage.out(), stage.size());
            case ATTENTION ->
                operations.attention(g, (VaeWeights.Attention) parameters.getFirst(), stage.in(), stage.size());
            case UPSAMPLER -> operations.upsampler(g, (Linear) parameters.getFirst(), stage.in(), stage.size());
            case TAIL -> operations.tail(g, weights, stage.in(), stage.out(), stage.size());
        }
        if (parameters.size() > 1) {
            g.task(
                    "next",
                    Work.moving(2.0 * Integer.BYTES, "nextLayer"),
                    () -> Launch.elementwise(1),
                    graph -> graph.task("next", DecoderRun::next, new KernelContext(), run));
        }
        if (stage.kind() == Kind.TAIL) {
            g.keep(operations.results());
            if (operations.weights().length > 0) {
                g.keep(operations.weights());
            }
            g.keep(exchanges.state());
        } else {
            g.keep(carried);
        }
    }
}
