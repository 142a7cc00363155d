package org.tornadodit.scheduler.plan;

import org.tornadodit.model.dit.DitConfig;

/**
 * What a device holds of a run: spans of its axes. All sizes of the device's arrays and kernels follow from it.
 *
 * @param samples of the batch (S)
 * @param halves of guidance: both where samples are guided, one where none is
 * @param tokens of a sample (T)
 * @param heads of attention (H)
 * @param features of the MLP's hidden layer (M)
 * @param layers blocks of the model
 */
public record Part(Span samples, Span halves, Span tokens, Span heads, Span features, Span layers) {

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

        static Span whole(int count) {
            return new Span(0, count, count);
        }

        /** Whether it is the whole axis. */
        public boolean isWhole() {
            return count == of;
        }
    }

    /** A whole model for up to {@code samples} samples. */
    public static Part of(DitConfig config, int samples, boolean guided) {
        return new Part(
                Span.whole(samples),
                Span.whole(guided ? 2 : 1),
                Span.whole(config.tokens()),
                Span.whole(config.numHeads()),
                Span.whole(config.mlpHidden()),
                Span.whole(config.depth()));
    }

    /** Passes of the model that there is room for (N): a guided sample takes two. */
    public int passes() {
        return Math.multiplyExact(samples.count(), halves.count());
    }

    /** Whether nothing of a sample is on other devices. */
    public boolean isWhole() {
        return halves.isWhole() && tokens.isWhole();
    }

    /** Devices that hold a sample together. */
    public int ranks() {
        return halves.of() / halves.count() * headRanks();
    }

    /** Which of them this is. */
    public int rank() {
        return halves.first() * headRanks() + headRank();
    }

    /** Devices among which the heads are divided. */
    public int headRanks() {
        return heads.of() / heads.count();
    }

    /** Which of them this is. */
    public int headRank() {
        return heads.first() / heads.count();
    }

    /** Rows of the token arrays (N T). */
    public int rows() {
        return Math.multiplyExact(passes(), tokens.count());
    }
}
