package org.tornadodit.kernels;

import org.tornadodit.kernels.Exchange.Box;
import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * A step in patches of the token sequence, one behind the other (PipeFusion: J. Fang et al., arXiv 2405.14430): a patch's queries
 * attend to the keys and values of all tokens, which are kept from step to step for each layer, and of which a patch replaces its
 * own. The batch says which patch runs, see {@link Batch#PATCH}.
 */
public final class TokenPatches {
    private TokenPatches() {}

    /**
     * Where a patch's queries, keys and values lie, and where those of all tokens are kept.
     *
     * @param box from and to, of patch 0 and layer 0; {@code a} counts queries, keys and values where they are apart
     * @param patch elements from a patch's place to the next one's
     * @param ofFirst elements from a layer's place to the next one's, of the first of {@code a}
     * @param ofOthers likewise, of the others
     */
    public record Kept(Box box, int patch, int ofFirst, int ofOthers) {}

    /** A launch of {@link #keep}. */
    public static WorkerGrid grid(Kept kept, int passes) {
        return Launch.elementwise(passes * (kept.box().elements() / 4));
    }

    /**
     * Begins the next patch of a step; behind the last comes the first. Launch: {@link Handover#single}.
     *
     * @param batch gets its number
     * @param state counts the patches, see {@link Exchange#MICRO_BATCH}
     * @param number of a step
     */
    public static void next(KernelContext context, IntArray batch, IntArray state, int number) {
        if (context.globalIdx == 0) {
            int patch = state.get(Exchange.MICRO_BATCH);
            batch.set(Batch.PATCH, patch);
            state.set(Exchange.MICRO_BATCH, (patch + 1) % number);
        }
    }

    /**
     * Copies the patch's rows of all. Launch: {@link Launch#elementwise} of most passes * elements.
     *
     * @param all (N, T, D)
     * @param patch (N, T / number, D)
     * @param elements of a pass of the patch
     * @param ofAll elements of a pass of all
     */
    public static void take(
            KernelContext context, IntArray batch, FloatArray all, FloatArray patch, int elements, int ofAll) {
        int i = context.globalIdx;
        if (i < batch.get(Batch.PASSES) * elements) {
            patch.set(i, all.get(i / elements * ofAll + batch.get(Batch.PATCH) * elements + i % elements));
        }
    }

    /** The other way round. */
    public static void put(
            KernelContext context, IntArray batch, FloatArray all, FloatArray patch, int elements, int ofAll) {
        int i = context.globalIdx;
        if (i < batch.get(Batch.PASSES) * elements) {
            all.set(i / elements * ofAll + batch.get(Batch.PATCH) * elements + i % elements, patch.get(i));
        }
    }

    /**
     * Keeps a patch's queries, keys and values. Launch: {@link #grid}. All numbers are {@link Kept}'s, four elements at a time.
     *
     * @param layer (1): its number
     */
    public static void keep(
            KernelContext context,
            IntArray layer,
            IntArray batch,
            TornadoNativeArray source,
            TornadoNativeArray all,
            int a,
            int b,
            int run,
            int fromPass,
            int fromA,
            int fromB,
            int toPass,
            int toA,
            int toB,
            int toPatch,
            int ofFirst,
            int ofOthers) {
        int i = context.globalIdx;
        if (i < batch.get(Batch.PASSES) * a * b * run) {
            int y = i / run % b;
            int x = i / run / b % a;
            int pass = i / run / b / a;
            int place = batch.get(Batch.PATCH) * toPatch + layer.get(0) * (x == 0 ? ofFirst : ofOthers);
            int from = pass * fromPass + x * fromA + y * fromB + i % run * 4;
            PeerMemory.copy4(source, from, all, place + pass * toPass + x * toA + y * toB + i % run * 4);
        }
    }
}
