package org.tornadodit.scheduler.plan;

import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
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
 */
public record Mesh(Map<Axis, Integer> degrees) {

    /** All on one device. */
    public static final Mesh ONE = new Mesh(Map.of());

    /** Ranks of a crew at most. */
    public static final int MOST_RANKS = 8;

    /**
     * What the kernels of a tier want of a part.
     *
     * @param tokens are a multiple of this
     * @param columns of the heads are a multiple of this
     * @param elementBytes of an activation between two products
     */
    public record Grain(int tokens, int columns, int elementBytes) {}

    /** @throws IllegalArgumentException when a degree is not positive */
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
    }

    /** Crews of one. */
    public static Mesh ofSamples(int devices) {
        return ONE.withSamples(devices);
    }

    /** The same with another degree of an axis. */
    public Mesh with(Axis axis, int degree) {
        Map<Axis, Integer> others = new EnumMap<>(Axis.class);
        others.putAll(degrees);
        others.put(axis, degree);
        return new Mesh(others);
    }

    public Mesh withSamples(int crews) {
        return with(Axis.SAMPLES, crews);
    }

    public Mesh withHalves(int halves) {
        return with(Axis.HALVES, halves);
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
        return rank / closer % (axis == Axis.SAMPLES ? 1 : degree(axis));
    }

    /** How close the picture is to that of one device. */
    public Exactness exactness() {
        return degrees.keySet().stream()
                .map(Axis::exactness)
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
        return degrees.keySet().stream()
                .flatMap(axis -> axis.refusal(this, config, guided, grain).stream())
                .findFirst();
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
        return new Part(
                crew(),
                rank,
                Span.whole(most),
                halves() == 1 ? Span.whole(guided ? 2 : 1) : Span.share(2, 2, place(Axis.HALVES, rank)),
                share(tokens, rank, Axis.HEADS, Axis.TENSOR),
                share(tokens, rank, Axis.HEADS),
                share(heads, rank, Axis.TENSOR),
                share(heads, rank, Axis.TENSOR, Axis.HEADS),
                share(config.mlpHidden(), rank, Axis.TENSOR),
                Span.whole(config.depth()));
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

    /**
     * Bytes that each rank stores into other devices' memory in a step.
     *
     * @param guided how many of the crew's samples are
     */
    public long bytesSent(DitConfig config, int crewSamples, int guided, Grain grain) {
        long passes = halves() == 2 ? crewSamples : crewSamples + guided;
        long rows = passes * (config.tokens() / partsOf(Axis.HEADS, Axis.TENSOR));
        long predictions = rows * config.patchOutputs() * Float.BYTES * (ranks() - 1);
        long attention =
                rows * tensor() * (config.hiddenSize() / partsOf(Axis.HEADS, Axis.TENSOR)) * grain.elementBytes();
        long heads = 4 * attention * (heads() - 1); // q, k and v, and attention's output
        long gathered = rows * config.hiddenSize() * grain.elementBytes() * (tensor() - 1);
        long sums = rows * config.hiddenSize() * Float.BYTES * (tensor() - 1);
        return predictions + config.depth() * (heads + 2 * gathered + 2 * sums);
    }

    /** The command line's options for it. */
    public String options() {
        return Arrays.stream(Axis.values())
                .filter(axis -> axis == Axis.SAMPLES || degree(axis) > 1)
                .map(axis -> axis.option(degree(axis)))
                .collect(Collectors.joining(" "));
    }

    /** Samples, and what else is divided. */
    @Override
    public String toString() {
        return Arrays.stream(Axis.values())
                .filter(axis -> axis == Axis.SAMPLES || degree(axis) > 1)
                .map(axis -> axis.word() + " " + degree(axis))
                .collect(Collectors.joining(" x "));
    }
}
