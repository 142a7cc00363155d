package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.Wgmma;

/**
 * A consumer's products of {@link Mixed} operands in {@link TensorLinear}. What Hopper's tensor cores add to an accumulator of FP8 products is cut
 * to about 14 bits of the largest, so that the small products come first, of all of K, and the halves' after them: the other way
 * round the error is 5.5e-4. All is summed in the tensor core, whose truncation at K = 4608 leaves an error of 1.2e-5.
 */
final class MixedProducts {
    private MixedProducts() {}

    /**
     * A consumer's rows of a tile, over all of K; what is not said here is as in {@link TensorLinear}.
     *
     * @param sums of 64 rows, {@code lower} of 64 more if there are two parts
     * @param stages of the ring, a stage holding hi of {@code slabs} times 16 k, or hi8 and lo8 of as many
     */
    static void multiply(
            float[] sums,
            float[] lower,
            int shared,
            int thread,
            int below,
            int k,
            int rows,
            int columns,
            int slabs,
            int stages,
            int cluster,
            int parts,
            int start) {
        int stageBytes = slabs * (rows + columns) * 32;
        int first = Pipeline.ring(shared) + below / 8 * 256;
        int second = Pipeline.ring(shared) + slabs * rows * 32;
        // 16 k of FP8 are in a slab, the next 16 in the next one.
        int a8 = Wgmma.descriptor(first, rows * 32);
        int b8 = Wgmma.descriptor(second, columns * 32);
        int a = Wgmma.descriptor(first, 128);
        int b = Wgmma.descriptor(second, 128);
        int lane = thread % 32;
        int steps = Registers.opaque(k / (16 * slabs));
        // Clearing also says that the registers are free until here.
        Registers.clear(sums);
        Registers.clear(lower);
        int place = start;
        for (int step = 0; step < steps; step++) {
            int offset = Pipeline.stage(place, stages) * (stageBytes / 16);
            Pipeline.awaitFull(shared, stages, place);
            Wgmma.fence();
            for (int s = 0; s < slabs; s += 2) {
                int aSlab = a8 + offset + s * (rows * 2);
                int bSlab = b8 + offset + s * (columns * 2);
                Wgmma.multiplyBytes(sums, aSlab + 8, bSlab, 256, 256, columns);
                Wgmma.multiplyBytes(sums, aSlab, bSlab + 8, 256, 256, columns);
                if (parts == 2) {
                    Wgmma.multiplyBytes(lower, aSlab + 136, bSlab, 256, 256, columns);
                    Wgmma.multiplyBytes(lower, aSlab + 128, bSlab + 8, 256, 256, columns);
                }
            }
            Wgmma.commit();
            Wgmma.await(1);
            // The stage before this one is read.
            int before = Pipeline.before(place, stages);
            TensorLinear.leave(shared, stages, before, Math.max(lane, cluster * (1 - step)), cluster);
            place = Pipeline.next(place, stages);
        }
        // Products of another shape follow in the same registers.
        Wgmma.await(0);
        TensorLinear.leave(shared, stages, Pipeline.before(place, stages), lane, cluster);
        for (int step = 0; step < steps; step++) {
            int offset = Pipeline.stage(place, stages) * (stageBytes / 16);
            Pipeline.awaitFull(shared, stages, place);
            Wgmma.fence();
            for (int s = 0; s < slabs; s++) {
                int aSlab = a + offset + s * (rows * 2);
                int bSlab = b + offset + s * (columns * 2);
                Wgmma.multiply(sums, aSlab, bSlab, 256, 256, columns);
                if (parts == 2) {
                    Wgmma.multiply(lower, aSlab + 128, bSlab, 256, 256, columns);
                }
            }
            Wgmma.commit();
            Wgmma.await(1);
            int before = Pipeline.before(place, stages);
            TensorLinear.leave(shared, stages, before, Math.max(lane, cluster * (1 - step)), cluster);
            place = Pipeline.next(place, stages);
        }
        Wgmma.await(0);
        TensorLinear.leave(shared, stages, Pipeline.before(place, stages), lane, cluster);
    }
}
