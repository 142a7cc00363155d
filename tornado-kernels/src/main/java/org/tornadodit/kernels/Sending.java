package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.PeerMemory;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.Warp;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * An {@link Exchange} without a launch of its own: a product or attention stores what it makes straight into the arrays of those
 * devices that need it, its own among them, and what reads it next waits for all of it by itself, beside what it can begin with.
 *
 * <p>A work group that is done adds to a counter at each device. One exchange counts {@link #WHOLE} from each, however many work
 * groups a device has; a device counts its own exchanges, and so knows what to wait for. There is one exchange of a site at a time:
 * none sends again before it has had of all others what they send once they have read.
 *
 * <p>Before devices are connected nothing is stored and nobody waits: {@link #tell} has then told where arrays are.
 *
 * @param link of {@link Exchange}, whose site is described
 * @param ranks devices of the exchange
 * @param near those that follow one another and have different heads of the same tokens; they are all, or others have other queries
 */
public record Sending(IntArray link, int ranks, int near) {
    /** What an exchange adds to a counter: work groups of a launch at most. */
    public static final int WHOLE = 1024;

    // Within an int beside another number.
    private static final int NEAR = 4;
    private static final int BOTH = 8;

    /** Bits of the number that {@link #with} puts beside it. */
    static final int NUMBER = 12;

    /**
     * @throws IllegalArgumentException for devices that an exchange cannot have
     */
    public Sending {
        if (ranks < 2 || ranks > Exchange.MOST || near < 1 || ranks % near != 0) {
            throw new IllegalArgumentException("an exchange of " + ranks + " devices, " + near + " of them near");
        }
    }

    /** With a number below {@code 1 << NUMBER} in one int: a task has twenty parameters at most. */
    int with(int number) {
        if (number >> NUMBER != 0) {
            throw new IllegalArgumentException(number + " does not fit beside who sends");
        }
        return number | (ranks | near << NEAR) << NUMBER;
    }

    /** The number of {@link #with}, or where nothing is sent. */
    static int number(int code) {
        return code & (1 << NUMBER) - 1;
    }

    /** 0 where nothing is sent. */
    static int ranks(int code) {
        return code >> NUMBER & (1 << NEAR) - 1;
    }

    static int near(int code) {
        return code >> NUMBER + NEAR & (1 << BOTH - NEAR) - 1;
    }

    /** The launch of {@link #tell}. */
    public static WorkerGrid single() {
        return Launch.groups(1, 1);
    }

    /** Tells other devices where a site's array is, by way of the host; see {@link Exchange#connect}. */
    public static void tell(KernelContext context, IntArray landing, IntArray state, int site) {
        if (context.globalIdx == 0) {
            PeerMemory.publish(landing, state, Exchange.OWN_ADDRESSES / 2 + site);
            PeerMemory.publish(state, state, Exchange.OWN_ADDRESSES / 2 + Exchange.SITES);
        }
    }

    /** Whether devices are connected. */
    static int active(IntArray link) {
        return link.get(Exchange.ACTIVE);
    }

    /** Says that a work group has stored all of its results: by one thread, behind a barrier of those that have. */
    static void signal(IntArray link, int site, int ranks, int blocks, int block) {
        if (active(link) != 0) {
            int rank = link.get(Exchange.site(site) + Exchange.RANK);
            int own = Exchange.slot(site, rank);
            if (block == 0) {
                int counter = counter(site);
                PeerMemory.store(link, own + 1, counter, PeerMemory.load(link, own + 1, counter) + 1);
            }
            int more = block == 0 ? WHOLE - blocks + 1 : 1;
            for (int peer = 0; peer < ranks; peer++) {
                int slot = Exchange.slot(site, peer);
                if (peer == rank) {
                    PeerMemory.keep(link, slot);
                } else {
                    PeerMemory.add(link, slot, slot + 1, signals(site, rank), more);
                }
            }
        }
    }

    /** Waits for what all other devices have sent; what the asynchronous proxy reads behind this is there too. */
    static void await(IntArray link, int site, int ranks) {
        if (active(link) != 0) {
            int rank = link.get(Exchange.site(site) + Exchange.RANK);
            int state = Exchange.slot(site, rank) + 1;
            int number = PeerMemory.load(link, state, counter(site)) * WHOLE;
            int failed = PeerMemory.load(link, state, Exchange.FAILED);
            for (int peer = 0; peer < ranks; peer++) {
                if (peer != rank && failed == 0) {
                    if (PeerMemory.awaitAt(link, state, signals(site, peer), number, Exchange.patience(link)) == 0) {
                        PeerMemory.store(link, state, Exchange.FAILED, 1);
                        failed = 1;
                    }
                }
            }
            PeerMemory.fenceAsync();
        }
    }

    private static int counter(int site) {
        return Exchange.COUNTERS + site * Exchange.MOST * Exchange.MOST_GROUPS;
    }

    private static int signals(int site, int peer) {
        return Exchange.SIGNALS + (site * Exchange.MOST + peer) * Exchange.MOST_GROUPS;
    }

    /**
     * As {@link TensorEpilogue} stores q, k and v of all heads, but into the arrays (3, N, heads of a device, all T, hd) of the devices
     * that have these heads; keys and values also of others, which have other queries.
     *
     * @param tokens of this device
     * @param m rows that count; 0 while devices are not connected
     */
    static void storeHeads(
            float[] sums,
            IntArray link,
            IntArray overflow,
            int layer,
            int row,
            int column,
            int m,
            int most,
            int n,
            int planes,
            int columns,
            int thread,
            int tokens,
            int heads,
            int ranks,
            int near) {
        int hidden = n / 3;
        int size = hidden / heads;
        int plane = size * 4;
        int own = heads / near;
        int rank = link.get(Exchange.site(Exchange.HEADS) + Exchange.RANK);
        int whole = tokens / 8 * ranks * (plane * planes);
        // Rows r and r + 8 of the last tile may be past the end.
        int upper = Math.max(0, Math.min(row, m - 1));
        int lower = Math.max(0, Math.min(row + 8, m - 1));
        int first = rank * (tokens / 8) * (plane * planes) + thread % 32;
        int upperAt = upper / tokens * own * whole + upper % tokens / 8 * (plane * planes) + first;
        int lowerAt = lower / tokens * own * whole + lower % tokens / 8 * (plane * planes) + first;
        int ofKind = most / tokens * own * whole;
        int dimension = column % hidden % size;
        int head = column % hidden / size;
        int kind = Registers.opaque(column / hidden);
        int nearest = rank / near;
        float largest = 0f;
        for (int piece = 0; piece < columns / 8; piece += TensorEpilogue.PIECE) {
            if (TensorEpilogue.isThere(column, piece, n)) {
                for (int j = piece; j < Math.min(piece + TensorEpilogue.PIECE, columns / 8); j++) {
                    if (TensorEpilogue.isWhole(n, columns) || column + 8 * j < n) {
                        float a = Registers.get(sums, 4 * j);
                        float b = Registers.get(sums, 4 * j + 1);
                        float c = Registers.get(sums, 4 * j + 2);
                        float d = Registers.get(sums, 4 * j + 3);
                        int peer = head / own;
                        int to = kind * ofKind + (head - peer * own) * whole + dimension * 4;
                        for (int group = 0; group < ranks / near; group++) {
                            int slot = Exchange.slot(Exchange.HEADS, group * near + peer);
                            // Queries are for those alone that have them.
                            int some = near == ranks ? -1 : group - nearest == 0 ? -1 : -Math.min(1, kind);
                            int upperThere = some & row - m;
                            int lowerThere = some & row + 8 - m;
                            Packed.sendIfNegative(link, slot, upperAt + to, plane, a, b, planes, upperThere);
                            Packed.sendIfNegative(link, slot, lowerAt + to, plane, c, d, planes, lowerThere);
                        }
                        largest = row < m ? Packed.largest(largest, a, b) : largest;
                        largest = row + 8 < m ? Packed.largest(largest, c, d) : largest;
                        // On to the next eight dimensions, the next head, or the first of k or v: divisions cost more.
                        dimension += 8;
                        boolean isNext = dimension == size;
                        dimension = isNext ? 0 : dimension;
                        head = isNext ? head + 1 : head;
                        boolean isLast = head == heads;
                        head = isLast ? 0 : head;
                        kind = isLast ? kind + 1 : kind;
                    }
                }
            }
        }
        Overflow.report(overflow, layer, Overflow.QKV, largest);
    }

    /**
     * As {@link WarpgroupAttention#store}, but into the operand (N * tokens of a device, all heads * hd) of the device that has the
     * queries' tokens.
     *
     * @param pass of the queries
     * @param group of eight queries, of those that are asked for
     * @param asked queries of a pass
     * @param heads of this device, of {@code columns} groups of eight columns
     * @param there negative when devices are connected
     */
    static float storeTokens(
            IntArray link,
            float[] o,
            float[] sums,
            int half,
            int pass,
            int group,
            int firstColumn,
            int lane,
            int most,
            int asked,
            int heads,
            int columns,
            int planes,
            int near,
            int there,
            float largestBefore) {
        float sum = Registers.get(sums, half);
        sum = sum + Warp.shuffleXor(sum, 1);
        sum = sum + Warp.shuffleXor(sum, 2);
        float inverse = Approximate.reciprocal(sum);
        float largest = largestBefore;
        int rank = link.get(Exchange.site(Exchange.TOKENS) + Exchange.RANK);
        int groups = asked / near / 8; // of a device
        int peer = group / groups;
        int slot = Exchange.slot(Exchange.TOKENS, rank / near * near + peer);
        int row = (pass * groups + group - peer * groups) * 8;
        int paddedRows = Packed.paddedRows(most * (asked / near));
        int before = rank % near * heads * columns + firstColumn;
        for (int column = 0; column < columns; column++) {
            int from = column * 4 + half * 2;
            float x = Registers.get(o, from) * inverse;
            float y = Registers.get(o, from + 1) * inverse;
            largest = Packed.largest(largest, x, y);
            int at = Packed.index(row, (before + column) * 8, paddedRows, planes) + lane;
            if (planes == Packed.MIXED) {
                Mixed.sendIfNegative(link, slot, at, Mixed.slab(paddedRows), (before + column) % 2, x, y, there);
            } else {
                Packed.sendIfNegative(link, slot, at, Packed.PLANE, x, y, planes, there);
            }
        }
        return there < 0 ? largest : largestBefore;
    }
}
