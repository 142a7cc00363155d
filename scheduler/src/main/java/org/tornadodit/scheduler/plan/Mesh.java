package org.tornadodit.scheduler.plan;

import java.util.Optional;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.plan.Part.Span;

/**
 * Along which axes a run is divided, and into how many parts each. Devices that compute a sample together are a crew, and
 * each of them, a rank, holds a {@link Part}. Pure arithmetic.
 *
 * <pre>
 *   samples   each crew has samples of its own; nothing is exchanged
 *   halves    one rank predicts for the class, the other for the null class; predictions are exchanged once a step
 *   heads     Ulysses (S. A. Jacobs et al., arXiv 2309.14509): a rank has some of the tokens, and in attention all tokens of
 *             some heads; exchanged twice a block
 * </pre>
 *
 * <p>Ranks count the heads first: ranks 0 to heads - 1 have the first half of guidance. The latents are every rank's: each takes
 * the sampler's step on all predictions, so that noise and states are as on one device. Each product and sum is that of one
 * device, in its order: the result has the same bits.
 *
 * @param samples crews
 * @param halves 1, or 2
 * @param heads parts of the tokens, and of the heads
 */
public record Mesh(int samples, int halves, int heads) {

    /** All on one device. */
    public static final Mesh ONE = new Mesh(1, 1, 1);

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
        if (samples < 1 || halves < 1 || heads < 1) {
            throw new IllegalArgumentException(
                    "degrees of %d, %d and %d: each is at least 1".formatted(samples, halves, heads));
        }
    }

    /** Crews of one. */
    public static Mesh ofSamples(int devices) {
        return new Mesh(devices, 1, 1);
    }

    /** Devices that compute a sample together. */
    public int ranks() {
        return Math.multiplyExact(halves, heads);
    }

    /** Devices in all. */
    public int devices() {
        return Math.multiplyExact(samples, ranks());
    }

    /**
     * Why a model cannot be divided like this, in one line.
     *
     * @param guided whether samples are guided
     */
    public Optional<String> refusal(DitConfig config, boolean guided, Grain grain) {
        if (halves > 2) {
            return Optional.of("guidance has two halves, not " + halves);
        }
        if (halves == 2 && !guided) {
            return Optional.of("halves of guidance, and the samples are not guided (--cfg-scale 1)");
        }
        if (ranks() > MOST_RANKS) {
            return Optional.of(ranks() + " devices for one sample, up to " + MOST_RANKS + " are possible");
        }
        if (config.numHeads() % heads != 0) {
            return Optional.of("%d heads in %d parts".formatted(config.numHeads(), heads));
        }
        if (config.tokens() % heads != 0 || (heads > 1 && config.tokens() / heads % grain.tokens() != 0)) {
            return Optional.of("%d tokens in %d parts: these kernels take multiples of %d"
                    .formatted(config.tokens(), heads, grain.tokens()));
        }
        int columns = config.hiddenSize() / heads;
        if (heads > 1 && columns % grain.columns() != 0) {
            return Optional.of("%d heads of %d are %d columns: these kernels take multiples of %d"
                    .formatted(config.numHeads() / heads, config.headSize(), columns, grain.columns()));
        }
        return Optional.empty();
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
        Part whole = Part.of(config, most, guided);
        return new Part(
                whole.samples(),
                halves == 1 ? whole.halves() : new Span(rank / heads, 1, 2),
                share(config.tokens(), rank % heads),
                share(config.numHeads(), rank % heads),
                whole.features(),
                whole.layers());
    }

    private Span share(int of, int part) {
        return new Span(part * (of / heads), of / heads, of);
    }

    /**
     * Bytes that each rank stores into other devices' memory in a step.
     *
     * @param guided how many of the crew's samples are
     */
    public long bytesSent(DitConfig config, int crewSamples, int guided, Grain grain) {
        long passes = halves == 2 ? crewSamples : crewSamples + guided;
        long rows = passes * (config.tokens() / heads);
        long predictions = rows * config.patchOutputs() * Float.BYTES * (ranks() - 1);
        long columns = config.hiddenSize() / heads;
        long block = rows * 4 * columns * grain.elementBytes() * (heads - 1);
        return predictions + config.depth() * block;
    }

    @Override
    public String toString() {
        return "samples %d x halves %d x heads %d".formatted(samples, halves, heads);
    }
}
