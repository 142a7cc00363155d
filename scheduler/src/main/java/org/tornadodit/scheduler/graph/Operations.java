package org.tornadodit.scheduler.graph;

import java.util.List;
import org.tornadodit.kernels.Exchange.Box;
import org.tornadodit.kernels.Sending;
import org.tornadodit.kernels.TokenPatches;
import org.tornadodit.model.Linear;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.Part.Span;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * DiT's operations as tasks, with the kernels of one tier. The graphs say what happens in which order; this says with
 * which kernel, on which representation of the operands. Task names are PyTorch's module paths with {@code _}.
 *
 * <p>N passes (two of a guided sample), T tokens, D hidden size.
 */
public interface Operations {

    /** Which set of kernels. */
    Tier tier();

    /** How exact its products are. */
    MatmulPrecision precision();

    /** The tier and what it does, for the user: begins with the word that {@code --kernels} has. */
    String description();

    /** What decides bits: devices of which this is the same give the same, in words for the user. */
    default String kind() {
        return description();
    }

    /** Whether devices with these kernels and others can exchange within a block what they make: operands lie as the tier has them. */
    default boolean exchangesWith(Operations others) {
        return tier() == others.tier() && precision() == others.precision();
    }

    /** The decoder's kernels of the same tier, where the autoencoder's sizes allow. */
    DecoderTier decoder(VaeConfig config);

    /** Which variants of kernels are used. */
    Tuning tuning();

    /** Where its arrays come from. */
    ArraySource arrays();

    /** The same tier with arrays from elsewhere. */
    Operations with(ArraySource arrays);

    /** For what is small, or comes before the first block: FP32 on any tier, its arrays from the same source. */
    PortableOperations portable();

    /** Room for a product's left operand of (rows, columns), for up to as many columns as any layer has. */
    Operand operand(long rows, int columns);

    /**
     * As {@link #operand}, for a product whose error goes into the picture as it is, not through later blocks: with FP32's
     * accuracy at any precision.
     */
    Operand float32Operand(long rows, int columns);

    /**
     * Rows that {@link #modulation} makes in the time of so many passes, or of fewer: where there are more, a step's can be made with
     * those of later steps.
     */
    int modulationRows(int passes);

    /** Room for what {@link #modulation} reads in place of the conditioning (rows, columns); nothing where it reads that. */
    Operand modulationOperand(long rows, int columns);

    /** The same layer of all blocks in one array, to be filled by {@link WeightStaging}. */
    default ProductWeights weights(List<Linear> layers) {
        return weightShares(layers.stream().map(LayerShare::whole).toList(), 0);
    }

    /**
     * As {@link #weights}, of what a device has of the layers.
     *
     * @param slots of layers that there is room for, those of the layers first; fewer for no more than these
     */
    ProductWeights weightShares(List<LayerShare> layers, int slots);

    /** As {@link #weights}, for products of a {@link #float32Operand}. */
    ProductWeights float32Weights(List<Linear> layers);

    /**
     * As {@link #weights}, for {@link #modulation}: one layer with all of their outputs.
     *
     * @param elsewhere layers that other devices have: the weights' representation is that of all together
     */
    ProductWeights weightsTogether(List<Linear> layers, List<Linear> elsewhere);

    /** Whether the kernels set {@link Layer#overflow}. */
    boolean reportsOverflow();

    /**
     * {@code conditioning W^T + b} of all blocks, (N, depth, 6 D).
     *
     * @param packed a {@link #modulationOperand}
     */
    void modulation(
            GraphScope g,
            String task,
            Layer layer,
            FloatArray conditioning,
            Operand packed,
            ProductWeights w,
            FloatArray out,
            Rows rows);

    /** {@code modulate(norm(x), shift, scale)}, (N, T, D), into either kind of operand, and the number of the layer for what follows. */
    void normModulate(
            GraphScope g, String task, Advance advance, FloatArray x, Modulation modulation, Operand out, Rows rows);

    /** {@code x W^T + b}, q, k and v of all heads, as {@link #attention} reads them. */
    void linearHeads(
            GraphScope g, String task, Layer layer, Operand x, ProductWeights w, Operand out, Rows rows, int heads);

    /**
     * As {@link #linearHeads}, and then a LayerNorm of each head's q and k.
     *
     * @param norms see {@link org.tornadodit.kernels.HeadNorm}
     * @param plain (N, T, 3 D), for what comes before the norms
     */
    void linearHeadsNormed(
            GraphScope g,
            String task,
            Layer layer,
            Operand x,
            ProductWeights w,
            FloatArray norms,
            FloatArray plain,
            Operand out,
            Rows rows,
            int heads);

    /** {@code x W^T + b} as plain floats; x is either kind of operand, w the weights for it. */
    void linear(GraphScope g, String task, Layer layer, Operand x, ProductWeights w, FloatArray out, Rows rows);

    /** {@code gelu(x W^T + b)}, the tanh approximation. */
    void linearGelu(GraphScope g, String task, Layer layer, Operand x, ProductWeights w, Operand out, Rows rows);

    /** {@code x = x + gate * (in W^T + b)}, in place. */
    void linearGateResidual(
            GraphScope g, String task, Layer layer, Operand in, ProductWeights w, Gate gate, FloatArray x, Rows rows);

    /**
     * Multi-head attention of (N, T, 3 D), all tokens of each pass or some, to (N, those, D).
     *
     * @param kept whether {@code qkv} is {@link #keptHeads}, and as many queries as are asked for are those of the patch that runs
     */
    void attention(
            GraphScope g,
            String task,
            Layer layer,
            Operand qkv,
            Operand out,
            Rows rows,
            Span queries,
            boolean kept,
            int heads,
            int headSize);

    /** Room for keys and values of all of a part's tokens and layers, and for queries, see {@link TokenPatches}. */
    Operand keptHeads(Part part, int headSize);

    /** Has an operand come into being before anything is stored into it, from an array with a number in it. */
    void beginOperand(GraphScope g, String task, Operand operand, FloatArray number);

    /** Keeps what {@link #linearHeads} has made of a patch. */
    void keep(GraphScope g, String task, Layer layer, Operand qkv, Operand kept, Rows rows, Part part, int headSize);

    /**
     * Whether {@link #linearHeads} and {@link #attention} can store what they make in other devices' memory, and what reads it next can
     * wait for it.
     */
    default boolean sends(DitConfig config) {
        return false;
    }

    /** An operand that devices send to one another: who writes it stores it at those that need it, who reads it waits for all of it. */
    default Operand sent(Operand landing, Sending sending) {
        throw new UnsupportedOperationException("operands of a tier that sends none");
    }

    /** What the tier wants of a device's share. */
    Mesh.Grain grain();

    /**
     * Of {@link #linearHeads}' output for a device's tokens, what goes to each device: its heads, and queries to those alone that
     * have them.
     *
     * @param part what this device holds
     */
    Box toHeads(Part part, int headSize);

    /** Of {@link #attention}'s output for a device's heads, what goes to each device: its tokens. */
    Box toTokens(Part part, int headSize);

    /** An {@link #operand} of a device's tokens, which goes to each device that has other shares of the weights. */
    Box toProducts(Part part, int columns);

    /**
     * Which layer runs.
     *
     * @param index (1), on the device: of the weights that lie one after the other
     * @param overflow where kernels report what does not fit their operands, see {@link org.tornadodit.kernels.Overflow}
     */
    record Layer(IntArray index, IntArray overflow) {}

    /**
     * From one layer to the next, on the device: the same graph then serves every block, and the host sends nothing.
     *
     * @param from the layer that ran before
     * @param more 1 to go on to the next number, 0 to stay
     * @param to the layer that runs now
     */
    record Advance(Layer from, int more, Layer to) {}

    /**
     * The rows of the token arrays, tokens of each pass.
     *
     * @param batch who is in the batch, see {@link org.tornadodit.kernels.Batch}
     * @param passes that there is room for (N)
     * @param tokens of a pass (T)
     * @param suited passes that variants of kernels are chosen for; any other number has the same bits
     */
    record Rows(IntArray batch, int passes, int tokens, int suited) {
        Rows(IntArray batch, int passes, int tokens) {
            this(batch, passes, tokens, passes);
        }

        int count() {
            return passes * tokens;
        }

        /** Rows of the passes that variants are chosen for. */
        int suitedCount() {
            return suited * tokens;
        }

        /** The same passes with other tokens. */
        Rows ofTokens(int others) {
            return new Rows(batch, passes, others, suited);
        }

        Rows suiting(int fewer) {
            return new Rows(batch, passes, tokens, fewer);
        }
    }

    /** Shift and scale: chunks of D columns of adaLN_modulations' outputs (N, chunks * D), as in layer 0; {@code hidden} is D. */
    record Modulation(FloatArray array, int shiftChunk, int scaleChunk, int chunks, int hidden) {}

    /** A gate: one chunk of D columns of adaLN_modulations' outputs (N, chunks * D), as in layer 0. */
    record Gate(FloatArray array, int chunk, int chunks) {}
}
