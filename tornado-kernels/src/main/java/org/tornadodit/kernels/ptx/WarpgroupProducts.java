package org.tornadodit.kernels.ptx;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.host.WorkItem;

/**
 * The wgmma products of one warpgroup. A product is computed when its group is awaited; its operands must not have
 * changed since the first thread asked for it, and its accumulators are NaN until all products on them are done.
 */
final class WarpgroupProducts {
    private static final int LANES = 128;
    private static final int ROWS = 64;
    private static final int DEPTH = 16;

    private final SharedMemoryBytes memory;
    private final Deque<Product> underWay = new ArrayDeque<>();
    private final int[] begun = new int[LANES];
    private final int[] committed = new int[LANES];
    private final boolean[] fenced = new boolean[LANES];
    private final float[] a = new float[ROWS * DEPTH];
    private final float[] b = new float[256 * DEPTH];
    private final List<Accumulators> accumulators = new ArrayList<>();
    private int done;

    /** What all threads have to agree on. */
    private record Call(int a, int b, int aStride, int bStride, int columns, int group) {}

    /** One product: its call, a fingerprint of its operands, when they were last written without a fence. */
    private record Product(Call call, Accumulators sums, long fingerprint, int unfenced) {}

    WarpgroupProducts(SharedMemoryBytes memory) {
        this.memory = memory;
    }

    void fence(WorkItem item) {
        fenced[item.index() % LANES] = true;
    }

    void commit(WorkItem item) {
        committed[item.index() % LANES]++;
    }

    void multiply(WorkItem item, float[] sums, int a, int b, int aStride, int bStride, int columns) {
        int lane = item.index() % LANES;
        Call call = new Call(a, b, aStride, bStride, columns, committed[lane]);
        check(call, sums.length, fenced[lane]);
        int number = begun[lane]++ - done;
        if (number == underWay.size()) {
            underWay.add(begin(call, lane, sums));
        }
        Product product = product(number);
        if (!product.call.equals(call)) {
            throw new IllegalStateException("divergent wgmma: lane " + lane + " of the warpgroup makes " + call
                    + ", another one " + product.call);
        }
        if (!memory.isFenced(item.index(), product.unfenced)) {
            throw new IllegalStateException(
                    "wgmma reads shared memory that threads have written without fenceAsync: " + call);
        }
        Accumulators own = find(lane, sums);
        if ((own != null && own != product.sums) || !product.sums.join(lane, sums)) {
            throw new IllegalStateException(
                    "divergent wgmma: lane " + lane + " of the warpgroup has other accumulators: " + call);
        }
    }

    private Product begin(Call call, int lane, float[] sums) {
        Accumulators own = find(lane, sums);
        if (own == null) {
            own = new Accumulators(call.columns);
            accumulators.add(own);
        }
        own.products++;
        int unfenced = 0;
        for (int address : addresses(call)) {
            unfenced = Math.max(unfenced, memory.latestUnfenced(address));
        }
        return new Product(call, own, fingerprint(call), unfenced);
    }

    /** The accumulators under way that {@code sums} are a part of. */
    private @Nullable Accumulators find(int lane, float[] sums) {
        for (Accumulators candidate : accumulators) {
            if (candidate.has(lane, sums)) {
                return candidate;
            }
        }
        return null;
    }

    void await(WorkItem item, int pending) {
        item.exchange(LANES, pending, "wgmma.wait_group", waits -> {
            compute(waits);
            return waits;
        });
    }

    /** Throws when products are still under way. */
    void finish() {
        if (!underWay.isEmpty()) {
            throw new IllegalStateException(
                    "the block has ended while wgmma products are under way: nobody waited for " + underWay.size());
        }
    }

    private static void check(Call call, int registers, boolean fenced) {
        if (call.columns < 8 || call.columns > 256 || call.columns % 8 != 0) {
            throw new IllegalArgumentException("wgmma has 8, 16 ... 256 columns, not " + call.columns);
        }
        if (registers != call.columns / 2) {
            throw new IllegalArgumentException("wgmma of " + call.columns + " columns has " + call.columns / 2
                    + " accumulators a thread, not " + registers);
        }
        if (call.aStride % 16 != 0 || call.bStride % 16 != 0) {
            throw new IllegalArgumentException("misaligned access: wgmma's strides are multiples of 16: " + call);
        }
        if (!fenced) {
            throw new IllegalStateException("wgmma without a fence before: accumulators may not be there yet");
        }
    }

    private Product product(int number) {
        Iterator<Product> products = underWay.iterator();
        for (int i = 0; i < number; i++) {
            products.next();
        }
        return products.next();
    }

    private void compute(Object[] waits) {
        for (int lane = 1; lane < LANES; lane++) {
            if (begun[lane] != begun[0] || committed[lane] != committed[0] || !waits[lane].equals(waits[0])) {
                throw new IllegalStateException("divergent wgmma: lane 0 of the warpgroup has begun " + begun[0]
                        + " products in " + committed[0] + " groups and waits for all but " + waits[0] + ", lane "
                        + lane + " has begun " + begun[lane] + " in " + committed[lane] + " and waits for all but "
                        + waits[lane]);
            }
        }
        int groups = committed[0] - (int) waits[0];
        while (!underWay.isEmpty() && underWay.getFirst().call.group < groups) {
            compute(underWay.remove());
            done++;
        }
    }

    private void compute(Product product) {
        Call call = product.call;
        if (fingerprint(call) != product.fingerprint) {
            throw new IllegalStateException(
                    "operands in shared memory were overwritten while wgmma was reading them: " + call);
        }
        int columns = call.columns;
        for (int k = 0; k < DEPTH / 8; k++) {
            for (int i = 0; i < ROWS / 8; i++) {
                memory.getMatrix(address(call.a, call.aStride, i, k), a, i * 8 * DEPTH + 8 * k, DEPTH);
            }
            for (int i = 0; i < columns / 8; i++) {
                memory.getMatrix(address(call.b, call.bStride, i, k), b, i * 8 * DEPTH + 8 * k, DEPTH);
            }
        }
        float[] c = product.sums.matrix;
        float[] transposed = transpose(columns);
        for (int row = 0; row < ROWS; row++) {
            for (int k = 0; k < DEPTH; k++) {
                addScaled(c, row * columns, transposed, k * columns, a[row * DEPTH + k], columns);
            }
        }
        product.sums.products--;
        if (product.sums.products == 0) {
            product.sums.leave();
            accumulators.remove(product.sums);
        }
    }

    private float[] transpose(int columns) {
        float[] result = new float[DEPTH * columns];
        for (int column = 0; column < columns; column++) {
            for (int k = 0; k < DEPTH; k++) {
                result[k * columns + column] = b[column * DEPTH + k];
            }
        }
        return result;
    }

    private static void addScaled(float[] sums, int at, float[] terms, int from, float factor, int count) {
        for (int i = 0; i < count; i++) {
            sums[at + i] += factor * terms[from + i];
        }
    }

    private long fingerprint(Call call) {
        long hash = 0;
        for (int address : addresses(call)) {
            hash = memory.fingerprint(address, hash);
        }
        return hash;
    }

    /** Addresses of the 8x8 matrices of both operands. */
    private static int[] addresses(Call call) {
        int[] addresses = new int[(ROWS + call.columns) / 8 * 2];
        int count = 0;
        for (int k = 0; k < DEPTH / 8; k++) {
            for (int i = 0; i < ROWS / 8; i++) {
                addresses[count++] = address(call.a, call.aStride, i, k);
            }
            for (int i = 0; i < call.columns / 8; i++) {
                addresses[count++] = address(call.b, call.bStride, i, k);
            }
        }
        return addresses;
    }

    /** Address of the 8x8 matrix i along the rows, k along the depth, of the operand with that descriptor. */
    private static int address(int descriptor, int stride, int i, int k) {
        return (descriptor & 0x3fff) * 16 + i * stride + k * (descriptor >>> 16 & 0x3fff) * 16;
    }
}
