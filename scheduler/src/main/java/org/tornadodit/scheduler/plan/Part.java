package org.tornadodit.scheduler.plan;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.tornadodit.kernels.OwnedWeights.Ownership;
import org.tornadodit.model.dit.DitConfig;

/**
 * What a device holds of a run: spans of its axes. All sizes of the device's arrays and kernels follow from it.
 *
 * @param mesh of the devices that hold the same samples
 * @param rank which of them this is
 * @param samples of the batch (S)
 * @param halves of guidance: both where samples are guided, one where none is
 * @param tokens of a sample (T) in the residual stream
 * @param productTokens in the products of blocks
 * @param queries of attention
 * @param productHeads that qkv has the weights of (H)
 * @param heads of attention
 * @param features of the MLP's hidden layer (M)
 * @param layers blocks of the model
 * @param ownership of their weights
 */
public record Part(
        Mesh mesh,
        int rank,
        Span samples,
        Span halves,
        Span tokens,
        Span productTokens,
        Span queries,
        Span productHeads,
        Span heads,
        Span features,
        Span layers,
        Ownership ownership) {

    /**
     * A run of an axis.
     *
     * @param first where it begins
     * @param count how many
     * @param of how many the axis has
     */
    public record Span(int first, int count, int of) {
        public Span {
            if (first < 0 || count < 1 || first + count > of) {
                throw new IllegalArgumentException("%d from %d on of %d".formatted(count, first, of));
            }
        }

        public static Span whole(int count) {
            return new Span(0, count, count);
        }

        /** One of some equal parts. */
        static Span share(int of, int parts, int part) {
            return new Span(part * (of / parts), of / parts, of);
        }

        /** The same share of an axis of so many for each of this one's: of heads' columns. */
        public Span scaledTo(int all) {
            int each = all / of;
            return new Span(first * each, count * each, all);
        }

        /** One of some parts of which none is larger than another by more than one. */
        static Span balanced(int of, int parts, int part) {
            int first = (int) ((long) part * of / parts);
            return new Span(first, (int) ((part + 1L) * of / parts) - first, of);
        }

        /** Whether it is the whole axis. */
        public boolean isWhole() {
            return count == of;
        }
    }

    /** A whole model for up to {@code samples} samples. */
    public static Part of(DitConfig config, int samples, boolean guided) {
        return Mesh.ONE.part(config, samples, guided, 0);
    }

    /** Passes of the model that there is room for (N): a guided sample takes two. */
    public int passes() {
        return Math.multiplyExact(samples.count(), halves.count());
    }

    /** Whether nothing of a sample is on other devices. */
    public boolean isWhole() {
        return ranks() == 1;
    }

    /** Devices that hold a sample together. */
    public int ranks() {
        return mesh.ranks();
    }

    /** Samples that it decodes at most, where pictures are decoded whole: its crew shares them out. */
    public int decodedSamples() {
        return Math.ceilDiv(samples.count(), ranks());
    }

    /** Which part of an axis this has, of {@link Mesh#degree}. */
    public int place(Axis axis) {
        return mesh.place(axis, rank);
    }

    /** Which of {@link Mesh#partsOf} this has. */
    public int placeAlong(Axis... axes) {
        return mesh.placeAlong(rank, axes);
    }

    /** Whether two parts differ along some axes at most: their devices exchange what is divided along these. */
    public boolean differsAlong(Part other, Axis... axes) {
        List<Axis> may = List.of(axes);
        return Arrays.stream(Axis.values()).allMatch(axis -> may.contains(axis) || place(axis) == other.place(axis));
    }

    /** Whether blocks are on other devices too: a step is then one of micro-batches. */
    public boolean isStage() {
        return mesh.stages() > 1;
    }

    /** Whether blocks' weights are on other devices, and come from there. */
    public boolean sharesWeights() {
        return mesh.owners() > 1;
    }

    /** Whether another device, or this one, is among those that share these weights. */
    public boolean sharesWeightsWith(Part other) {
        return sharesWeights() && rank % mesh.sharingGroups() == other.rank % mesh.sharingGroups();
    }

    /** Whether devices that share weights have different halves of guidance. */
    public boolean ownersHaveBothHalves() {
        return mesh.ownersHaveBothHalves();
    }

    /** Passes of all devices that share the weights, different ones counted: whose modulations this one makes. */
    public int ownersPasses() {
        return ownersHaveBothHalves() ? Math.multiplyExact(2, passes()) : microPasses();
    }

    /** Which of {@link #ownersPasses} is the first of the own. */
    public int firstOwnPass() {
        return ownersHaveBothHalves() ? halves.first() * passes() : 0;
    }

    /** Blocks whose weights there is room for. */
    public int slots() {
        return sharesWeights() ? ownership.slots() : layers.count();
    }

    /** Blocks whose weights are here all the time, by their numbers in the model. */
    public List<Integer> ownLayers() {
        return IntStream.range(layers.first(), layers.first() + layers.count())
                .filter(block -> !sharesWeights() || ownership.owns(block))
                .boxed()
                .toList();
    }

    /** Of flags that slots have: of a block in the slot where it ran last, and of one that has left its room. */
    public List<Integer> flagRows(int layer) {
        if (!sharesWeights()) {
            return List.of(layer);
        }
        int kept = ownership.slots() + layer;
        boolean there = ownership.owns(layer) || layer == ownership.depth() - 1;
        return there ? List.of(ownership.slot(layer), kept) : List.of(kept);
    }

    /** Rows of these flags. */
    public int flagRows() {
        return sharesWeights() ? ownership.slots() + ownership.depth() : layers.count();
    }

    /** Whether it has the first block, and what comes before. */
    public boolean isFirstStage() {
        return layers.first() == 0;
    }

    /** Whether it has the last block, and what comes behind. */
    public boolean isLastStage() {
        return layers.first() + layers.count() == layers.of();
    }

    /** Passes of a micro-batch that there is room for: all, where there are none. */
    public int microPasses() {
        return Math.ceilDiv(passes(), mesh.microBatches());
    }

    /** Whether the stages take a patch of the tokens after the other. */
    public boolean isPatched() {
        return mesh.patches() > 1;
    }

    /** Tokens of the residual stream at a time: those of a patch, where there are some. */
    public int tokensAtOnce() {
        return tokens.count() / mesh.patches();
    }

    /** Rows of the residual stream at a time, of a micro-batch or a patch (N T). */
    public int rows() {
        return Math.multiplyExact(microPasses(), tokensAtOnce());
    }

    /** Rows of the blocks' products (N T). */
    public int productRows() {
        return Math.multiplyExact(microPasses(), productTokens.count() / mesh.patches());
    }
}
