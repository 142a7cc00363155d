package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Who shares a pass of the model: an int array that the host sends before each step, so that a kernel compiled for a largest
 * batch serves any smaller one, and any mixture of guided and unguided samples.
 *
 * <p>S samples take N passes: a guided sample two, one with its class and one with the null class, any other one. Arrays of
 * the model have a row (of T tokens) for each pass, arrays of latents one for each sample; what lies behind the first N, or
 * S, means nothing, and nothing that counts reads it.
 *
 * <p>Layout, for up to {@code most} passes: S, N, the first pass, the patch, then for each pass its sample and its label, then for each sample its
 * conditional pass and its unconditional one, which is the conditional one again for an unguided sample.
 */
public final class Batch {
    /** Index of S, the samples. */
    public static final int SAMPLES = 0;
    /** Index of N, the passes. */
    public static final int PASSES = 1;

    /** Index of what the first pass here is among all of the samples': 0, but in micro-batches. */
    public static final int FIRST = 2;

    /** Index of which patch of the tokens runs: 0, but where a step goes from patch to patch, see {@link TokenPatches}. */
    public static final int PATCH = 3;

    private static final int HEADER = 4;

    private Batch() {}

    /** For products that are no passes of the model: all rows count. */
    public static IntArray allRows() {
        IntArray batch = ArrayPages.ints(HEADER);
        fillAllRows(batch);
        return batch;
    }

    /** Makes an array that {@link #allRows}. */
    public static void fillAllRows(IntArray batch) {
        batch.set(SAMPLES, 1 << 20);
        batch.set(PASSES, 1 << 20);
    }

    /** Ints of the array. */
    public static int length(int most) {
        return HEADER + 4 * most;
    }

    /** Index of the sample whose latents a pass reads. */
    public static int sample(int pass) {
        return HEADER + pass;
    }

    /** Index of a pass' label: a class, or the null class. */
    public static int label(int pass, int most) {
        return HEADER + most + pass;
    }

    /** Index of the pass that predicts for a sample's class. */
    public static int conditional(int sample, int most) {
        return HEADER + 2 * most + sample;
    }

    /** Index of the pass that predicts for the null class. */
    public static int unconditional(int sample, int most) {
        return HEADER + 3 * most + sample;
    }

    /**
     * Fills the array: the conditional passes in the order of the samples, then the unconditional ones.
     *
     * @param labels class of each sample (S)
     * @param guided whether a sample has an unconditional pass (S)
     * @param nullClass label of those passes
     * @throws IllegalArgumentException when there are more passes than the array has room for
     */
    public static void fill(IntArray batch, int[] labels, boolean[] guided, int nullClass) {
        int most = (batch.getSize() - HEADER) / 4;
        int passes = labels.length;
        for (boolean each : guided) {
            passes += each ? 1 : 0;
        }
        if (passes > most) {
            throw new IllegalArgumentException(passes + " passes of the model, there is room for " + most);
        }
        batch.set(SAMPLES, labels.length);
        batch.set(PASSES, passes);
        batch.set(FIRST, 0);
        batch.set(PATCH, 0);
        int next = labels.length;
        for (int sample = 0; sample < labels.length; sample++) {
            int without = guided[sample] ? next++ : sample;
            batch.set(sample(sample), sample);
            batch.set(label(sample, most), labels[sample]);
            batch.set(conditional(sample, most), sample);
            batch.set(unconditional(sample, most), without);
            if (guided[sample]) {
                batch.set(sample(without), sample);
                batch.set(label(without, most), nullClass);
            }
        }
    }

    /**
     * Fills the array of a device that has one half of guidance: the passes for the classes, or those for the null class of the
     * guided samples. Predictions are counted over both halves: those for the null class come behind as many as there can be
     * samples.
     *
     * @param half 0 for the classes, 1 for the null class
     * @param most samples that there is room for
     * @throws IllegalArgumentException when there are more samples
     */
    public static void fillHalf(IntArray batch, int[] labels, boolean[] guided, int nullClass, int half, int most) {
        if (labels.length > most) {
            throw new IllegalArgumentException(labels.length + " samples, there is room for " + most);
        }
        int next = 0;
        for (int sample = 0; sample < labels.length; sample++) {
            batch.set(conditional(sample, most), sample);
            batch.set(unconditional(sample, most), guided[sample] ? most + next : sample);
            if (half == 0 || guided[sample]) {
                batch.set(sample(half == 0 ? sample : next), sample);
                batch.set(label(half == 0 ? sample : next, most), half == 0 ? labels[sample] : nullClass);
            }
            next += guided[sample] ? 1 : 0;
        }
        int passes = half == 0 ? labels.length : next;
        if (passes == 0) { // kernels have something to do then, which nobody reads
            passes = 1;
            batch.set(sample(0), 0);
            batch.set(label(0, most), nullClass);
        }
        batch.set(SAMPLES, labels.length);
        batch.set(PASSES, passes);
        batch.set(FIRST, 0);
        batch.set(PATCH, 0);
    }

    /**
     * Says that predictions lie behind others, of a step before: each by as many passes farther on than it was filled in.
     *
     * @param passes of those others
     */
    public static void movePredictions(IntArray batch, int passes) {
        int most = (batch.getSize() - HEADER) / 4;
        for (int sample = 0; sample < batch.get(SAMPLES); sample++) {
            for (int at : new int[] {conditional(sample, most), unconditional(sample, most)}) {
                batch.set(at, batch.get(at) + passes);
            }
        }
    }

    /**
     * Divides a batch into micro-batches that go through the model one behind the other: some of its passes each, as many in
     * one as in another but for one. Where there are fewer passes than micro-batches, one that has none of its own has a pass
     * behind all others, which nobody reads.
     *
     * @param all gets the micro-batches, each an array like this one's, one behind the other
     * @param number of them
     * @param most passes of one
     */
    public static void divide(IntArray batch, IntArray all, int number, int most) {
        int passes = batch.get(PASSES);
        int ofAll = (batch.getSize() - HEADER) / 4;
        for (int i = 0; i < number; i++) {
            int at = i * length(most);
            int first = (int) ((long) i * passes / number);
            int count = (int) ((i + 1L) * passes / number) - first;
            all.set(at + SAMPLES, batch.get(SAMPLES));
            all.set(at + PASSES, Math.max(1, count));
            all.set(at + FIRST, count == 0 ? passes : first);
            all.set(at + PATCH, 0);
            for (int pass = 0; pass < Math.max(1, count); pass++) {
                int of = count == 0 ? 0 : first + pass;
                all.set(at + sample(pass), batch.get(sample(of)));
                all.set(at + label(pass, most), batch.get(label(of, ofAll)));
            }
        }
    }
}
