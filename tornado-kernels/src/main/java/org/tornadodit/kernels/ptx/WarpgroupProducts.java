package org.tornadodit.kernels.ptx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.virtual.WorkItem;

/**
 * The wgmma products of one warpgroup. A product is computed when its group is awaited; its operands must not have
 * changed since the first thread asked for it, and its accumulators are NaN until all products on them are done.
 */
final class WarpgroupProducts {
    private static final int LANES = 128;
    private static final int ROWS = 64;

    private static final int MATRIX_BYTES = 128;
    /** k of a product of halves. */
    private static final int DEPTH = 16;

    private static final int MOST_DEPTH = 2 * DEPTH;

    private final SharedMemoryBytes memory;
    private final List<Product> underWay = new ArrayList<>();
    private final int[] begun = new int[LANES];
    private final int[] committed = new int[LANES];
    private final boolean[] fenced = new boolean[LANES];
    private final float[] a = new float[ROWS * MOST_DEPTH];
    private final float[] b = new float[256 * MOST_DEPTH];
    /** Rows in arrays of their own, from index 0 on: only so does the JIT know that it may vectorise. */
    private final float[][] rightRows = new float[MOST_DEPTH][256];

    private final float[] sumsRow = new float[256];
    private final List<Accumulators> accumulators = new ArrayList<>();
    private int done;

    /** What all threads have to agree on; {@code a} is a descriptor, or the first of A's registers. */
    private record Call(
            boolean registers,
            int a,
            int b,
            int aStride,
            int bStride,
            int columns,
            boolean transposed,
            boolean accumulate,
            boolean eightBits,
            int group) {
        int depth() {
            return eightBits ? MOST_DEPTH : DEPTH;
        }
    }

    /**
     * One product: its call, A where it lies in registers, a fingerprint of what lies in shared memory, and when that was
     * last written without a fence.
     */
    private record Product(
            Call call, Accumulators sums, @Nullable RegisterOperand left, long fingerprint, int unfenced) {}

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
        int group = committed[item.index() % LANES];
        begin(item, sums, new Call(false, a, b, aStride, bStride, columns, false, true, false, group));
    }

    void multiplyBytes(WorkItem item, float[] sums, int a, int b, int aStride, int bStride, int columns) {
        int group = committed[item.index() % LANES];
        begin(item, sums, new Call(false, a, b, aStride, bStride, columns, false, true, true, group));
    }

    void multiply(
            WorkItem item,
            float[] sums,
            int[] a,
            int i,
            int b,
            int bStride,
            int columns,
            int transposed,
            int accumulate) {
        int lane = item.index() % LANES;
        Call call = new Call(true, i, b, 0, bStride, columns, transposed != 0, accumulate != 0, false, committed[lane]);
        RegisterOperand left = begin(item, sums, call).left;
        if (left != null) {
            left.join(lane, a);
        }
    }

    /** The product that the call is, new if this thread is the first. */
    private Product begin(WorkItem item, float[] sums, Call call) {
        int lane = item.index() % LANES;
        check(call, sums.length, fenced[lane]);
        int number = begun[lane]++ - done;
        if (number == underWay.size()) {
            underWay.add(begin(call, lane, sums));
        }
        Product product = underWay.get(number);
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
        return product;
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
            unfenced = Math.max(unfenced, memory.latestUnfenced(address, MATRIX_BYTES));
        }
        RegisterOperand left = call.registers ? new RegisterOperand(call.a) : null;
        return new Product(call, own, left, fingerprint(call), unfenced);
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
            compute(underWay.removeFirst());
            done++;
        }
    }

    private void compute(Product product) {
        Call call = product.call;
        if (fingerprint(call) != product.fingerprint) {
            throw new IllegalStateException(
                    "operands in shared memory were overwritten while wgmma was reading them: " + call);
        }
        if (product.left != null && !product.left.isUnchanged()) {
            throw new IllegalStateException("registers were overwritten while wgmma was reading them: " + call);
        }
        int columns = call.columns;
        int depth = call.depth();
        readLeft(product);
        readRight(call);
        float[] c = product.sums.matrix;
        if (!call.accumulate) {
            Arrays.fill(c, 0f);
        }
        for (int row = 0; row < ROWS; row++) {
            System.arraycopy(c, row * columns, sumsRow, 0, columns);
            for (int k = 0; k < depth; k += 4) {
                addScaled(sumsRow, rightRows, k, a, row * depth + k, columns);
            }
            System.arraycopy(sumsRow, 0, c, row * columns, columns);
        }
        product.sums.products--;
        if (product.sums.products == 0) {
            product.sums.leave();
            accumulators.remove(product.sums);
        }
    }

    private void readLeft(Product product) {
        if (product.left != null) {
            product.left.get(a);
            return;
        }
        Call call = product.call;
        int depth = call.depth();
        for (int k = 0; k < 2; k++) {
            for (int i = 0; i < ROWS / 8; i++) {
                read(call, address(call.a, call.aStride, i, k), a, i * 8 * depth + k * depth / 2, depth);
            }
        }
    }

    /** 8 rows and half of a product's k, K-major. */
    private void read(Call call, int address, float[] matrix, int at, int stride) {
        if (call.eightBits) {
            memory.getBytes(address, matrix, at, stride);
        } else {
            memory.getMatrix(address, matrix, at, stride);
        }
    }

    /** B as (k, columns). */
    private void readRight(Call call) {
        int columns = call.columns;
        int depth = call.depth();
        for (int k = 0; k < 2; k++) {
            for (int i = 0; i < columns / 8; i++) {
                int address = address(call.b, call.bStride, i, k);
                if (call.transposed) {
                    memory.getMatrix(address, b, k * 8 * columns + i * 8, columns);
                } else {
                    read(call, address, b, i * 8 * depth + k * depth / 2, depth);
                }
            }
        }
        for (int k = 0; k < depth; k++) {
            float[] row = rightRows[k];
            if (call.transposed) {
                System.arraycopy(b, k * columns, row, 0, columns);
            } else {
                for (int i = 0; i < columns; i++) {
                    row[i] = b[i * depth + k];
                }
            }
        }
    }

    /** Adds four rows, one after the other, each with its factor. */
    private static void addScaled(float[] sums, float[][] rows, int k, float[] factors, int at, int count) {
        float[] r0 = rows[k];
        float[] r1 = rows[k + 1];
        float[] r2 = rows[k + 2];
        float[] r3 = rows[k + 3];
        float f0 = factors[at];
        float f1 = factors[at + 1];
        float f2 = factors[at + 2];
        float f3 = factors[at + 3];
        for (int i = 0; i < count; i++) {
            sums[i] = sums[i] + f0 * r0[i] + f1 * r1[i] + f2 * r2[i] + f3 * r3[i];
        }
    }

    private long fingerprint(Call call) {
        long hash = 0;
        for (int address : addresses(call)) {
            hash = memory.fingerprint(address, MATRIX_BYTES, hash);
        }
        return hash;
    }

    /** Addresses of the 8x8 matrices of the operands in shared memory. */
    private static int[] addresses(Call call) {
        int rows = call.registers ? 0 : ROWS;
        int[] addresses = new int[(rows + call.columns) / 8 * 2];
        int count = 0;
        for (int k = 0; k < 2; k++) {
            for (int i = 0; i < rows / 8; i++) {
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
