package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What kernels are to do with the tensors that the host has sent them in one array: a number of jobs, each a row of numbers in
 * an array, since a number that is passed as an argument is compiled in.
 */
public final class WeightJobs {
    /** Most jobs of one array. */
    public static final int MOST = 32;

    /** Numbers of a job. */
    static final int LENGTH = 16;

    /** Rows of maxima: each job's own, and one that several arrays' jobs share. */
    public static final int SLOTS = MOST + 1;

    /** {@link #KIND}: copies floats. */
    static final int COPY = 1;

    /** Copies a 3 x 3 convolution's weights (O, C, 3, 3) to (O, 3, 3, C). */
    static final int CHANNELS_LAST = 2;

    /** Packs rows of an operand. */
    static final int PACK = 3;

    /** Puts rows of an operand where they will be packed, as floats. */
    static final int PLACE = 4;

    /** Packs an operand where it lies as floats. */
    static final int PACK_PLACED = 5;

    /** Packs a convolution's weights. */
    static final int CONVOLUTION = 6;

    /** Does nothing: the elements' largest magnitude counts. */
    static final int LOOK = 7;

    /** What is to be done. */
    static final int KIND = 0;

    /** Which of the kernel's arrays the result goes to. */
    static final int TARGET = 1;

    /** Index of the first element in what was sent. */
    static final int FROM = 2;

    /** Elements. */
    static final int COUNT = 3;

    /** Index in the target of what becomes of the first. */
    static final int AT = 4;

    /** Of an operand: all of its rows. */
    static final int ROWS = 5;

    /** Of an operand: its columns. */
    static final int COLUMNS = 6;

    /** Of a convolution: its output channels. */
    static final int OUT = 5;

    /** Of a convolution: its input channels. */
    static final int IN = 6;

    /** Of a convolution: taps of the packed kernel a side. */
    static final int TAPS = 7;

    /** Index in the target's floats of what undoes the scale. */
    static final int UNDO_AT = 8;

    /** What that is multiplied by. */
    static final int UNDO_TIMES = 9;

    /** 1 when the largest magnitude of the elements counts. */
    static final int SCANNED = 10;

    /** Which row of the maxima has it. */
    static final int SLOT = 11;

    /** 1 when what that row has counts too. */
    static final int KEEP = 12;

    /** The slot that jobs of several arrays share. */
    private static final int SHARED = MOST;

    /** Elements that were sent: where the first one is, how many. */
    public record Sent(int from, int count) {}

    private final IntArray array;

    /** @param array {@link #size} ints, of which the first is the number of jobs */
    public WeightJobs(IntArray array) {
        this.array = array;
    }

    /** Ints of an array of jobs. */
    public static int size() {
        return LENGTH * (1 + MOST);
    }

    /** What kernels read. */
    public IntArray array() {
        return array;
    }

    /** How many jobs there are. */
    public int count() {
        return array.get(0);
    }

    /** Forgets all jobs. */
    public void clear() {
        array.set(0, 0);
    }

    /** @throws IllegalStateException when there is no room for one more */
    private int add(int kind, int target, Sent sent, int at) {
        int job = count();
        if (job == MOST) {
            throw new IllegalStateException("more than " + MOST + " jobs");
        }
        array.set(0, job + 1);
        int row = row(job);
        for (int i = 0; i < LENGTH; i++) {
            array.set(row + i, 0);
        }
        array.set(row + KIND, kind);
        array.set(row + TARGET, target);
        array.set(row + FROM, sent.from());
        array.set(row + COUNT, sent.count());
        array.set(row + AT, at);
        return row;
    }

    /** Copies floats to one of {@link WeightPacking#copy}'s arrays. */
    public void copy(int target, Sent sent, int at) {
        add(COPY, target, sent, at);
    }

    /** As {@link #copy}, of a 3 x 3 convolution's weights whose channels become the last dimension. */
    public void channelsLast(int target, Sent sent, int at, int inChannels) {
        array.set(add(CHANNELS_LAST, target, sent, at) + IN, inChannels);
    }

    /**
     * Packs all rows of a layer, see {@link WeightPacking#pack}.
     *
     * @param rows of the operand that they are a part of
     * @param undoAt where the factor goes that undoes their scale
     */
    public void pack(int target, Sent sent, int at, int rows, int columns, int undoAt) {
        int row = operand(PACK, target, sent, at, rows, columns, undoAt);
        scan(row, (row - LENGTH) / LENGTH, false);
    }

    /** Puts some rows, a multiple of eight, where {@link #packPlaced} will pack them; {@code first} of those that share a scale. */
    public void place(int target, Sent sent, int at, int rows, int columns, boolean first) {
        scan(operand(PLACE, target, sent, at, rows, columns, 0), SHARED, !first);
    }

    /** Has the magnitudes of rows count that are elsewhere, and share a scale with those that are put in place here. */
    public void look(Sent sent) {
        scan(add(LOOK, 0, sent, 0), SHARED, true);
    }

    /** Packs all rows that were put in place, by launches before this one. */
    public void packPlaced(int target, int count, int at, int rows, int columns, int undoAt) {
        int row = operand(PACK_PLACED, target, new Sent(0, count), at, rows, columns, undoAt);
        array.set(row + SLOT, SHARED);
    }

    private int operand(int kind, int target, Sent sent, int at, int rows, int columns, int undoAt) {
        int row = add(kind, target, sent, at);
        array.set(row + ROWS, rows);
        array.set(row + COLUMNS, columns);
        array.set(row + UNDO_AT, undoAt);
        return row;
    }

    /**
     * Packs a convolution, see {@link ConvolutionWeights}.
     *
     * @param taps see {@link ConvolutionWeights#packOnHost}
     * @param undoAt where the factor goes that undoes the scale
     * @param undoTimes what that is multiplied by
     */
    public void convolution(Sent sent, int at, int outChannels, int inChannels, int taps, int undoAt, int undoTimes) {
        int row = add(CONVOLUTION, 0, sent, at);
        array.set(row + OUT, outChannels);
        array.set(row + IN, inChannels);
        array.set(row + TAPS, taps);
        array.set(row + UNDO_AT, undoAt);
        array.set(row + UNDO_TIMES, undoTimes);
        scan(row, (row - LENGTH) / LENGTH, false);
    }

    private void scan(int row, int slot, boolean keep) {
        array.set(row + SCANNED, 1);
        array.set(row + SLOT, slot);
        array.set(row + KEEP, keep ? 1 : 0);
    }

    /** Index of a job's first number. */
    static int row(int job) {
        return LENGTH * (1 + job);
    }
}
