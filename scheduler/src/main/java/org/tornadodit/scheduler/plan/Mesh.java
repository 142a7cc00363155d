package org.tornadodit.scheduler.plan;

import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.kernels.OwnedWeights.Ownership;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.plan.Axis.Exactness;
import org.tornadodit.scheduler.plan.Part.Span;

/**
 * Along which axes a run is divided, and into how many parts each. Devices that compute a sample together are a crew, and
 * each of them, a rank, holds a {@link Part}. Pure arithmetic.
 *
 * <p>Ranks count the last axis first: with two halves and two parts of the heads, ranks 0 and 1 have the first half. The latents
 * are every rank's: each takes the sampler's step on all predictions, so that noise and states are as on one device.
 *
 * @param degrees parts of each axis of which there is more than one
 * @param microBatches that go through the stages of a step one behind the other; 1 where there is one stage, or where patches do
 * @param owners ranks that share the blocks' weights: each owns some of the blocks, and those of the others come to it as it needs
 *     them (ZeRO's third stage, fully sharded data parallel). Ranks that are far apart share: halves of guidance rather than heads,
 *     whose ranks wait for one another in each block; 1 where each has the weights of what it computes
 * @param flow patches that go through the stages
 */
public record Mesh(Map<Axis, Integer> degrees, int microBatches, int owners, PatchFlow flow) {

    /** All on one device. */
    public static final Mesh ONE = new Mesh(Map.of(), 1, 1);

    /** Ranks of a crew at most. */
    public static final int MOST_RANKS = 8;

    /**
     * What the kernels of a tier want of a part.
     *
     * @param tokens are a multiple of this
     * @param columns of the heads are a multiple of this
     * @param elementBytes of an activation between two products, and of a weight of the blocks
     * @param scales numbers that a layer has beside its biases
     */
    public record Grain(int tokens, int columns, int elementBytes, int scales) {}

    /**
     * @throws IllegalArgumentException when a degree is not positive, or where there are micro-batches or patches and one stage, or
     *     both
     */
    public Mesh {
        Map<Axis, Integer> several = new EnumMap<>(Axis.class);
        degrees.forEach((axis, degree) -> {
            if (degree < 1) {
                throw new IllegalArgumentException(
                        "%d parts of the %s: at least 1 is possible".formatted(degree, axis.word()));
            }
            if (degree > 1) {
                several.put(axis, degree);
            }
        });
        degrees = Collections.unmodifiableMap(several);
        if (microBatches < 1) {
            throw new IllegalArgumentException("%d micro-batches: at least 1 is possible".formatted(microBatches));
        }
        if (microBatches > 1 && !degrees.containsKey(Axis.STAGES)) {
            throw new IllegalArgumentException(
                    MICRO_BATCHES + " is " + microBatches + ", and there is one stage; see " + Axis.STAGES.option());
        }
        if (owners < 1) {
            throw new IllegalArgumentException("weights in %d parts: at least 1 is possible".formatted(owners));
        }
        if (flow.isDivided() && !degrees.containsKey(Axis.STAGES)) {
            throw new IllegalArgumentException("%s is %d, and there is one stage; see %s"
                    .formatted(PatchFlow.NUMBER, flow.number(), PatchFlow.DEGREE));
        }
        if (flow.isDivided() && microBatches > 1) {
            throw new IllegalArgumentException(PatchFlow.NUMBER + " with " + MICRO_BATCHES + ": give one of them");
        }
    }

    /** All tokens at once. */
    public Mesh(Map<Axis, Integer> degrees, int microBatches, int owners) {
        this(degrees, microBatches, owners, PatchFlow.NONE);
    }

    /** The command line's option. */
    public static final String MICRO_BATCHES = "--micro-batches";

    /** Likewise, for {@link #owners}. */
    public static final String OWNERS = "--fully-shard-degree";

    /** Crews of one. */
    public static Mesh ofSamples(int devices) {
        return ONE.withSamples(devices);
    }

    /** The same with another degree of an axis. */
    public Mesh with(Axis axis, int degree) {
        Map<Axis, Integer> others = new EnumMap<>(Axis.class);
        others.putAll(degrees);
        others.put(axis, degree);
        boolean alone = axis == Axis.STAGES && degree == 1;
        return new Mesh(others, alone ? 1 : microBatches, owners, alone ? PatchFlow.NONE : flow);
    }

    /** The same with other micro-batches. */
    public Mesh withMicroBatches(int number) {
        return new Mesh(degrees, number, owners, flow);
    }

    /** The same, of whose ranks so many share the weights. */
    public Mesh withOwners(int sharing) {
        return new Mesh(degrees, microBatches, sharing, flow);
    }

    /** The same with patches that go through the stages. */
    public Mesh withFlow(PatchFlow patches) {
        return new Mesh(degrees, microBatches, owners, patches);
    }

    public Mesh withStages(int stages) {
        return with(Axis.STAGES, stages);
    }

    public Mesh withSamples(int crews) {
        return with(Axis.SAMPLES, crews);
    }

    public Mesh withHalves(int halves) {
        return with(Axis.HALVES, halves);
    }

    public Mesh withRing(int parts) {
        return with(Axis.RING, parts);
    }

    public Mesh withHeads(int heads) {
        return with(Axis.HEADS, heads);
    }

    public Mesh withTensor(int shares) {
        return with(Axis.TENSOR, shares);
    }

    /** Parts of an axis. */
    public int degree(Axis axis) {
        return degrees.getOrDefault(axis, 1);
    }

    /** Crews. */
    public int samples() {
        return degree(Axis.SAMPLES);
    }

    /** 1, or 2. */
    public int halves() {
        return degree(Axis.HALVES);
    }

    /** Spans of the blocks. */
    public int stages() {
        return degree(Axis.STAGES);
    }

    /** Patches of the tokens that go through the stages one behind the other; 1 where all tokens do at once. */
    public int patches() {
        return flow.number();
    }

    /** Parts of the tokens, and of attention's queries. */
    public int ring() {
        return degree(Axis.RING);
    }

    /** Parts of the tokens, and of the heads. */
    public int heads() {
        return degree(Axis.HEADS);
    }

    /** Shares of the blocks' weights. */
    public int tensor() {
        return degree(Axis.TENSOR);
    }

    /** Into how many parts some axes divide what they divide together. */
    public int partsOf(Axis... axes) {
        return Arrays.stream(axes).mapToInt(this::degree).reduce(1, Math::multiplyExact);
    }

    /** Devices that compute a sample together. */
    public int ranks() {
        return crew().devices();
    }

    /** Devices in all; the largest int where they are more. */
    public int devices() {
        return (int) degrees.values().stream()
                .mapToLong(Integer::longValue)
                .reduce(1, (product, degree) -> Math.min(Integer.MAX_VALUE, product * degree));
    }

    /** How a crew divides its samples. */
    public Mesh crew() {
        return withSamples(1);
    }

    /** Which part of an axis a rank of a crew has. */
    int place(Axis axis, int rank) {
        int closer = 1;
        for (Axis each : Axis.values()) {
            closer *= each.compareTo(axis) > 0 ? degree(each) : 1;
        }
        return rank / closer % degree(axis);
    }

    /** Bits of the ranks that have a part of an axis. */
    public int ranksAt(Axis axis, int place) {
        return IntStream.range(0, ranks())
                .filter(rank -> place(axis, rank) == place)
                .map(rank -> 1 << rank)
                .sum();
    }

    /** How close the picture is to that of one device. */
    public Exactness exactness() {
        Stream<Exactness> ofFlow = flow.isDivided() ? Stream.of(Exactness.APPROXIMATE) : Stream.of();
        return Stream.concat(ofFlow, degrees.keySet().stream().map(Axis::exactness))
                .max(Comparator.naturalOrder())
                .orElse(Exactness.SAME_BITS);
    }

    /**
     * Why a model cannot be divided like this, in one line.
     *
     * @param guided whether samples are guided
     */
    public Optional<String> refusal(DitConfig config, boolean guided, Grain grain) {
        if (ranks() > MOST_RANKS) {
            return Optional.of(ranks() + " devices for one sample, up to " + MOST_RANKS + " are possible");
        }
        return Stream.of(
                        degrees.keySet().stream().flatMap(axis -> axis.refusal(this, config, guided, grain).stream()),
                        flow.refusal(this, config, grain).stream(),
                        refusalOfOwners(config).stream(),
                        refusalOfPredictions(config).stream())
                .flatMap(reasons -> reasons)
                .findFirst();
    }

    /** Of all that devices exchange it is predictions alone whose sizes the axes' refusals and the hidden size do not decide. */
    private Optional<String> refusalOfPredictions(DitConfig config) {
        int tokens = config.tokens() / partsOf(Axis.RING, Axis.HEADS, Axis.TENSOR) / patches();
        int numbers = tokens * config.patchOutputs();
        return ranks() == 1 || numbers % Exchange.GRAIN == 0
                ? Optional.empty()
                : Optional.of("%d tokens at a time are predictions of %d numbers: devices exchange multiples of %d"
                        .formatted(tokens, numbers, Exchange.GRAIN));
    }

    private Optional<String> refusalOfOwners(DitConfig config) {
        if (owners == 1) {
            return Optional.empty();
        }
        for (Axis axis : List.of(Axis.STAGES, Axis.TENSOR)) {
            if (degree(axis) > 1) {
                return Optional.of("%s %d leaves each device a share of the blocks' weights: leave out %s, or that"
                        .formatted(
                                axis == Axis.STAGES && flow.isDivided() ? PatchFlow.DEGREE : axis.option(),
                                degree(axis),
                                OWNERS));
            }
        }
        if (ranks() % owners != 0) {
            return Optional.of("weights in %d parts on %d devices of a sample".formatted(owners, ranks()));
        }
        return owners <= config.depth()
                ? Optional.empty()
                : Optional.of("%d blocks in %d parts".formatted(config.depth(), owners));
    }

    /** Who owns which blocks, as a rank has it. */
    Ownership ownership(DitConfig config, int rank) {
        return new Ownership(owners, rank / sharingGroups(), config.depth());
    }

    /** Ranks that share weights are so many apart. */
    int sharingGroups() {
        return Math.max(1, ranks() / owners);
    }

    /** Whether ranks that share weights have different halves of guidance. */
    boolean ownersHaveBothHalves() {
        return owners > 1 && halves() > 1;
    }

    /** Owners that send one after the other while others wait for each of them: those that meet in each block. */
    public int sendingInTurn() {
        return meetsInBlocks() ? Math.ceilDiv(owners, halves()) : 1;
    }

    /** Whether a rank waits for others in each block, besides for weights. */
    public boolean meetsInBlocks() {
        return partsOf(Axis.RING, Axis.HEADS, Axis.TENSOR) > 1;
    }

    /**
     * What a rank of any crew holds.
     *
     * @param most samples of the crew
     */
    public Part part(DitConfig config, int most, boolean guided, int rank) {
        if (rank < 0 || rank >= ranks()) {
            throw new IllegalArgumentException("rank %d of %d".formatted(rank, ranks()));
        }
        int heads = config.numHeads();
        int tokens = config.tokens();
        // A crew of fewer samples than another may have fewer passes than the mesh has micro-batches.
        int ofCrew = Math.min(microBatches, crew().mostPasses(most, guided));
        return new Part(
                crew().withMicroBatches(ofCrew),
                rank,
                Span.whole(most),
                halves() == 1 ? Span.whole(guided ? 2 : 1) : Span.share(2, 2, place(Axis.HALVES, rank)),
                share(tokens, rank, Axis.RING, Axis.HEADS, Axis.TENSOR),
                share(tokens, rank, Axis.RING, Axis.HEADS),
                share(tokens, rank, Axis.RING),
                share(heads, rank, Axis.TENSOR),
                share(heads, rank, Axis.TENSOR, Axis.HEADS),
                share(config.mlpHidden(), rank, Axis.TENSOR),
                Span.balanced(config.depth(), stages(), place(Axis.STAGES, rank)),
                ownership(config, rank));
    }

    /** Of what some axes divide, the first of them into the largest parts. */
    private Span share(int of, int rank, Axis... axes) {
        return Span.share(of, partsOf(axes), placeAlong(rank, axes));
    }

    /** Which of {@link #partsOf} a rank has. */
    int placeAlong(int rank, Axis... axes) {
        int place = 0;
        for (Axis axis : axes) {
            place = place * degree(axis) + place(axis, rank);
        }
        return place;
    }

    /** The same with numbers of micro-batches that are worth a thought: without stages itself alone. */
    public List<Mesh> divided(int samples, boolean guided) {
        if (stages() == 1 || flow.isDivided()) {
            return List.of(this);
        }
        int passes = mostPasses(samples, guided);
        return IntStream.of(1, stages(), 2 * stages(), 4 * stages(), passes)
                .map(number -> Math.min(number, passes))
                .distinct()
                .mapToObj(this::withMicroBatches)
                .toList();
    }

    /** The same with numbers of patches that are worth a thought, where there are stages and it may have some; else none. */
    public List<Mesh> patched(DitConfig config, boolean guided, Grain grain) {
        if (stages() == 1) {
            return List.of();
        }
        return IntStream.of(2, 4, 8)
                .mapToObj(number -> withFlow(new PatchFlow(number, 1)))
                .filter(mesh -> mesh.refusal(config, guided, grain).isEmpty())
                .toList();
    }

    /** Passes of the model that a rank of the crew with the most samples has. */
    int mostPasses(int samples, boolean guided) {
        return Math.ceilDiv(samples, samples()) * (guided && halves() == 1 ? 2 : 1);
    }

    /**
     * The most bytes that a rank stores into other devices' memory in a step.
     *
     * @param guided how many of the crew's samples are
     */
    public long bytesSent(DitConfig config, int crewSamples, int guided, Grain grain) {
        return IntStream.range(0, ranks())
                .mapToLong(rank -> bytesSent(config, crewSamples, guided, grain, rank))
                .max()
                .orElse(0);
    }

    /** Bytes that a rank stores into other devices' memory in a step. */
    public long bytesSent(DitConfig config, int crewSamples, int guided, Grain grain, int rank) {
        boolean last = isLastStage(rank);
        long out = last ? predictionBytes(config, crewSamples, guided) * (ranks() - 1) : 0;
        long on = last ? 0 : hiddenBytes(config, crewSamples, guided);
        return out
                + on
                + blockBytes(config, crewSamples, guided, grain, rank)
                + conditioningBytes(config, crewSamples, guided)
                + (owners - 1L) * ownership(config, rank).own() * ownedBytes(config, crewSamples, guided, grain);
    }

    /** Bytes that other devices store into a rank's memory in a step. */
    public long bytesReceived(DitConfig config, int crewSamples, int guided, Grain grain, int rank) {
        int predicting = ranks() / stages() - (isLastStage(rank) ? 1 : 0);
        long from = place(Axis.STAGES, rank) == 0 ? 0 : hiddenBytes(config, crewSamples, guided);
        return predicting * predictionBytes(config, crewSamples, guided)
                + from
                + blockBytes(config, crewSamples, guided, grain, rank)
                + conditioningBytes(config, crewSamples, guided)
                + (owners == 1 ? 0L : config.depth() - ownership(config, rank).own())
                        * ownedBytes(config, crewSamples, guided, grain);
    }

    /** Passes of the model that a rank has. */
    private long passes(int crewSamples, int guided) {
        return halves() == 2 ? crewSamples : crewSamples + guided;
    }

    /** What modulations of the other half's passes are made of. */
    private long conditioningBytes(DitConfig config, int crewSamples, int guided) {
        return ownersHaveBothHalves() ? passes(crewSamples, guided) * config.hiddenSize() * Float.BYTES : 0;
    }

    /** A block's weights, and its modulations of a rank's passes. */
    private long ownedBytes(DitConfig config, int crewSamples, int guided, Grain grain) {
        long width = config.hiddenSize();
        long weights = (4 * width + 2L * config.mlpHidden()) * width * grain.elementBytes();
        long biases = 5 * width + config.mlpHidden() + 4L * grain.scales();
        long norms = config.qkNorm() ? 4L * config.headSize() : 0;
        return weights + Float.BYTES * (biases + norms + passes(crewSamples, guided) * 6 * width);
    }

    private boolean isLastStage(int rank) {
        return place(Axis.STAGES, rank) == stages() - 1;
    }

    /** Rows of the residual stream that a rank has. */
    private long rows(DitConfig config, int crewSamples, int guided) {
        return passes(crewSamples, guided) * (config.tokens() / partsOf(Axis.RING, Axis.HEADS, Axis.TENSOR));
    }

    private long predictionBytes(DitConfig config, int crewSamples, int guided) {
        return rows(config, crewSamples, guided) * config.patchOutputs() * Float.BYTES;
    }

    private long hiddenBytes(DitConfig config, int crewSamples, int guided) {
        return rows(config, crewSamples, guided) * config.hiddenSize() * Float.BYTES;
    }

    /** Of {@link #bytesSent}, heads and tokens of attention. */
    public long headBytesSent(DitConfig config, int crewSamples, int guided, Grain grain, int rank) {
        return blocks(config, rank) * headBytes(config, crewSamples, guided, grain);
    }

    private int blocks(DitConfig config, int rank) {
        return Span.balanced(config.depth(), stages(), place(Axis.STAGES, rank)).count();
    }

    private long headBytes(DitConfig config, int crewSamples, int guided, Grain grain) {
        long rows = rows(config, crewSamples, guided);
        long attention =
                rows * tensor() * (config.hiddenSize() / partsOf(Axis.HEADS, Axis.TENSOR)) * grain.elementBytes();
        // q, k and v, and attention's output; k and v alone to those who have other queries
        return attention * (4 * (heads() - 1) + 2L * (ring() - 1) * heads());
    }

    /** Within the blocks, both ways alike. */
    private long blockBytes(DitConfig config, int crewSamples, int guided, Grain grain, int rank) {
        long rows = rows(config, crewSamples, guided);
        long heads = headBytes(config, crewSamples, guided, grain);
        long gathered = rows * config.hiddenSize() * grain.elementBytes() * (tensor() - 1);
        long sums = rows * config.hiddenSize() * Float.BYTES * (tensor() - 1);
        return blocks(config, rank) * (heads + 2 * gathered + 2 * sums);
    }

    /** The command line's options for it. */
    public String options() {
        Stream<String> options = Arrays.stream(Axis.values())
                .filter(axis -> axis == Axis.SAMPLES || degree(axis) > 1)
                .map(axis ->
                        axis == Axis.STAGES && flow.isDivided() ? flow.options(stages()) : axis.option(degree(axis)));
        Stream<String> micro =
                stages() == 1 || flow.isDivided() ? Stream.of() : Stream.of(MICRO_BATCHES + " " + microBatches);
        Stream<String> shared = owners == 1 ? Stream.of() : Stream.of(OWNERS + " " + owners);
        return Stream.of(options, micro, shared).flatMap(each -> each).collect(Collectors.joining(" "));
    }

    /** Samples, and what else is divided. */
    @Override
    public String toString() {
        String axes = Arrays.stream(Axis.values())
                .filter(axis -> axis == Axis.SAMPLES || degree(axis) > 1)
                .map(axis -> axis.word() + " " + degree(axis)
                        + (axis == Axis.STAGES && flow.isDivided() ? " of " + patches() + " patches" : ""))
                .collect(Collectors.joining(" x "));
        return owners == 1 ? axes : axes + ", weights in " + owners + " parts";
    }
}
