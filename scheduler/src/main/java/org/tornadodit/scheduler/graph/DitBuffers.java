package org.tornadodit.scheduler.graph;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.Batch;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.kernels.HostExchange;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.kernels.OwnedWeights;
import org.tornadodit.kernels.PhiloxNoise;
import org.tornadodit.kernels.Sending;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.graph.Operations.Layer;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Part;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * All arrays of the denoiser but its weights, allocated once for the largest batch: S samples, N passes of the model (two of
 * a guided sample; of a micro-batch, where the blocks are divided into stages), R conditionings that are computed at once (those of
 * {@link #tables}; N where there are none), T tokens (of a patch, where stages take patches), D hidden size, C channels, M width of
 * the MLP. What the host writes each step is marked.
 */
public final class DitBuffers {
    /** Arrays behind the latents for what samplers keep: as many as any of the model's samplers has. */
    public final int history;
    /**
     * (1 + {@link #history}, S, C, H, W): x_t, which the last graph of a step replaces by x_{t-1}, and then what
     * samplers keep from step to step.
     */
    public final FloatArray latents;
    /** As {@link #latents}, from the host: where a batch starts. */
    public final FloatArray start;
    /** (S, C, H, W), from the host: a step's noise where the device does not draw it. */
    public final FloatArray noise;
    /** (1): stands for {@link #noise} where the device draws. */
    final FloatArray noNoise;
    /** (N, T, C P P). */
    final FloatArray patches;
    /** (R, 256): the sinusoids of each conditioning's timestep. */
    final FloatArray frequencies;
    /** As {@link #frequencies}, of each conditioning's t - r; (1) for models without a second time, as the two below. */
    final FloatArray intervals;
    /** From the host each step: {@link #frequencies} of all micro-batches; the same where there are none. */
    public final FloatArray allFrequencies;
    /** Likewise {@link #intervals}. */
    final FloatArray allIntervals;
    /** (R, D). */
    final FloatArray intervalHidden;
    /** (R, D). */
    final FloatArray interval;
    /** (R, D). */
    final FloatArray timestepHidden;
    /** (R, D). */
    final FloatArray timestep;
    /** Who is in the batch, or in the micro-batch, see {@link Batch}. */
    final IntArray batch;
    /** From the host each step: who is in the whole batch; {@link #batch} where there are no micro-batches. */
    public final IntArray wholeBatch;
    /** From the host each step: all micro-batches; {@link #batch} where there are none. */
    public final IntArray microBatches;
    /** (N, D): SiLU of the sum of both embeddings, which every adaLN_modulation begins with. */
    final FloatArray conditioning;
    /** What steps to come need too is computed ahead; null where each step computes its own. */
    public final @Nullable Tables tables;
    /** (N, T, D): the residual stream. */
    final FloatArray x;
    /**
     * (passes of all, all T, D): {@link #x} of all micro-batches or patches, from the stage before; (1) where there is none and
     * there are no patches.
     */
    final FloatArray arrivals;
    /** The block whose attention runs. */
    final Layer attention;
    /** The block whose MLP runs, or ran last; -1 before the first. */
    final Layer mlp;
    /** The only layer of its kind, index 0. */
    final Layer single;
    /** Where the last norm writes a number that nobody reads. */
    final Layer end;
    /** ({@link Part#flagRows}, {@link Overflow#KINDS}): set where a value did not fit an operand. */
    public final IntArray overflow;
    /**
     * (R, D), or (passes of all that share the weights, D): the tables' conditionings, or {@link #ownersConditioning}, as the product
     * of all blocks' adaLN_modulation reads them.
     */
    final Operand modulationInput;
    /** (N, slots of blocks, 6 D): of all blocks here, which need the same conditioning. */
    final FloatArray modulation;
    /** (passes of all that share the weights, D): {@link #conditioning} of them; the same where there are no others. */
    final FloatArray ownersConditioning;
    /** Says that all of these passes count; {@link #batch} where there are no others. */
    final IntArray ownersBatch;
    /** (passes of all that share the weights, own blocks, 6 D): of own blocks; {@link #modulation} where weights are not shared. */
    final FloatArray ownModulation;
    /** (4): stands for a conditioning that is the own. */
    final FloatArray noConditioning;
    /** (4): stands for norms of heads. */
    final FloatArray noNorms;
    /** (N, T, D). */
    final Operand normed;
    /** As {@link #normed}, of the tokens of all devices that have other shares of the weights: the same where there are none. */
    final Operand gathered;
    /** (N, T, 3 D), of the heads that qkv's weights here make; {@link #headQkv} where they are sent. */
    final Operand qkv;
    /** As {@link #qkv}, as floats, where queries and keys are normalized; else (1). */
    final FloatArray plainQkv;
    /**
     * As {@link #qkv}, of all tokens (of whom queries are there that attend here) and the heads that attention has here: the
     * same where it has all.
     */
    final Operand headQkv;
    /** Keys and values of all tokens and own blocks, from step to step, where stages take patches; else nothing. */
    final Operand kept;
    /** As {@link #attended}, likewise; the same where tokens are sent. */
    final Operand headAttended;
    /** (N, T, D), of the same heads. */
    final Operand attended;
    /** What others store into while blocks run: heads, then tokens; none where exchanges have launches of their own. */
    final List<Operand> sent;
    /** (N, T, M), of the features that fc1's weights here make. */
    final Operand hidden;
    /** (N, T, D): what the weights here give of a sum; (1) where they give all. */
    final FloatArray partialSums;
    /** (devices, N, T, D): what all devices give of it, for the tokens of this one; (1) likewise. */
    final FloatArray partsOfSums;
    /** (N, 2 D). */
    final FloatArray finalModulation;
    /** (N, T, D). */
    final Operand finalNormed;
    /** (N, T, P P outChannels). */
    final FloatArray prediction;
    /**
     * (places, S or of guided ones 2 S, all T, P P outChannels): all devices' predictions, those for the class first; {@link
     * #prediction} where there is one device.
     */
    final FloatArray predictions;
    /**
     * Of all devices' predictions: two, which steps take by turns, where a device may be a step ahead of another, whose sampler
     * may not have taken the last ones; else 1.
     */
    private final int predictionPlaces;
    /** With the other devices that hold the same samples; null where there are none. */
    public final @Nullable Ties ties;
    /** (S, ...), from the host each step, see {@link DenoiseStep}. */
    public final FloatArray coefficients;
    /** (S, ...), from the host each step, see {@link PhiloxNoise}. */
    public final IntArray draw;

    /**
     * Conditionings and modulations of several steps at once: passes take their rows of them.
     *
     * @param size rows that there is room for (R)
     * @param computed from the host each step: a {@link Batch} of rows, with their labels, that are computed before the step; none where
     *     all that it takes are there
     * @param taken from the host each step (N): the row of each pass
     * @param conditioning (R, D)
     * @param modulation (R, blocks, 6 D)
     */
    public record Tables(int size, IntArray computed, IntArray taken, FloatArray conditioning, FloatArray modulation) {}

    /**
     * What ties a device to others, see {@link org.tornadodit.kernels.Exchange}.
     *
     * @param link from the host each step
     * @param throughHost whether the host's memory lies between, see {@link HostExchange}
     */
    public record Ties(IntArray link, IntArray state, boolean throughHost) {}

    public DitBuffers(DitConfig config, Part part, Operations operations) {
        this(config, part, operations, Link.PEERS);
    }

    /** @param between the devices of the crew */
    public DitBuffers(DitConfig config, Part part, Operations operations, Link between) {
        ArraySource arrays = operations.arrays();
        long samples = part.samples().count();
        long n = part.microPasses();
        long rows = part.rows();
        int width = config.hiddenSize();
        history = Math.max(DenoiseStep.HISTORY, config.objective().deviceHistory());
        latents = arrays.floats((1 + history) * samples * config.inputElements());
        start = arrays.floats((1 + history) * samples * config.inputElements());
        noise = arrays.floats(samples * config.inputElements());
        noNoise = arrays.floats(1);
        long allTokens = n * part.tokens().count();
        patches = arrays.deviceFloats(allTokens * config.inChannels() * config.patchSize() * config.patchSize());
        boolean micro = part.isStage();
        boolean shared = part.sharesWeights();
        int together = micro || shared ? part.passes() : operations.modulationRows(part.passes());
        tables = together == part.passes()
                ? null
                : new Tables(
                        together,
                        arrays.ints(Batch.length(together)),
                        arrays.ints(n),
                        arrays.deviceFloats((long) together * width),
                        arrays.deviceFloats((long) together * part.slots() * 6 * width));
        long conditions = tables == null ? n : together;
        long second = config.secondTime() ? conditions : 0;
        allFrequencies = arrays.floats((long) together * DitConfig.FREQUENCY_SIZE);
        allIntervals = arrays.floats(config.secondTime() ? (long) together * DitConfig.FREQUENCY_SIZE : 1);
        frequencies = micro ? arrays.deviceFloats(n * DitConfig.FREQUENCY_SIZE) : allFrequencies;
        intervals = micro ? arrays.deviceFloats(Math.max(1, second * DitConfig.FREQUENCY_SIZE)) : allIntervals;
        intervalHidden = arrays.deviceFloats(Math.max(1, second * width));
        interval = arrays.deviceFloats(Math.max(1, second * width));
        timestepHidden = arrays.deviceFloats(conditions * width);
        timestep = arrays.deviceFloats(conditions * width);
        wholeBatch = arrays.ints(Batch.length(part.passes()));
        int ofMicro = Batch.length(part.microPasses());
        microBatches = micro ? arrays.ints((long) part.mesh().microBatches() * ofMicro) : wholeBatch;
        batch = micro ? arrays.deviceInts(ofMicro) : wholeBatch;
        conditioning = arrays.deviceFloats(n * width);
        x = arrays.deviceFloats(rows * width);
        arrivals = arrays.deviceFloats(
                part.isFirstStage() && !part.isPatched()
                        ? 1
                        : (long) part.passes() * part.tokens().count() * width);
        overflow = arrays.ints(part.flagRows() * Overflow.KINDS);
        attention = new Layer(arrays.ints(1), overflow);
        mlp = new Layer(arrays.ints(1), overflow);
        end = new Layer(arrays.ints(1), overflow);
        single = new Layer(arrays.ints(1), overflow);
        modulationInput = operations.modulationOperand(tables == null ? part.ownersPasses() : together, width);
        modulation = arrays.deviceFloats(n * part.slots() * 6 * width);
        boolean others = part.ownersHaveBothHalves();
        ownersConditioning = others ? arrays.deviceFloats((long) part.ownersPasses() * width) : conditioning;
        ownersBatch = others ? arrays.ints(Batch.length(part.ownersPasses())) : batch;
        ownModulation = part.sharesWeights()
                ? arrays.deviceFloats(
                        (long) part.ownersPasses() * part.ownLayers().size() * 6 * width)
                : modulation;
        noConditioning = arrays.deviceFloats(4);
        noNorms = arrays.deviceFloats(4);
        normed = operations.operand(rows, width);
        long productRows = part.productRows();
        int shares = part.mesh().tensor();
        int productWidth = part.productHeads().count() * config.headSize();
        gathered = shares > 1 ? operations.operand(productRows, width) : normed;
        plainQkv = arrays.deviceFloats(config.qkNorm() ? productRows * 3 * productWidth : 1);
        boolean someHeads = part.mesh().heads() > 1;
        boolean someKeys = someHeads || part.mesh().ring() > 1;
        ties = part.isWhole()
                ? null
                : new Ties(
                        arrays.ints(
                                between == Link.HOST ? HostExchange.LINK : shared ? OwnedWeights.LINK : Exchange.LINK),
                        arrays.ints(shared ? OwnedWeights.STATE : Exchange.STATE),
                        between == Link.HOST);
        Sending sending = ties != null && sends(config, part, operations, between)
                ? new Sending(
                        ties.link(),
                        part.mesh().partsOf(Axis.RING, Axis.HEADS),
                        part.mesh().heads())
                : null;
        attended = sent(operations, operations.operand(productRows, productWidth), sending);
        long allRows = n * part.tokens().of();
        int headWidth = part.heads().count() * config.headSize();
        kept = part.isPatched() ? operations.keptHeads(part, config.headSize()) : () -> new Object[0];
        headQkv = part.isPatched() ? kept : sent(operations, operations.operand(allRows, 3 * headWidth), sending);
        boolean exchanged = someKeys && sending == null;
        qkv = part.isPatched() || exchanged ? operations.operand(productRows, 3 * productWidth) : headQkv;
        sent = sending == null ? List.of() : List.of(headQkv, attended);
        headAttended = someHeads && sending == null
                ? operations.operand(n * part.queries().count(), headWidth)
                : attended;
        hidden = operations.operand(productRows, part.features().count());
        partialSums = arrays.deviceFloats(shares > 1 ? productRows * width : 1);
        partsOfSums = arrays.deviceFloats(shares > 1 ? shares * rows * width : 1);
        finalModulation = arrays.deviceFloats(n * 2 * width);
        finalNormed = operations.float32Operand(rows, width);
        prediction = arrays.deviceFloats(rows * config.patchOutputs());
        predictionPlaces = part.isWhole() || micro || shared || between == Link.HOST ? 1 : 2;
        predictions = part.isWhole()
                ? prediction
                : arrays.deviceFloats(
                        predictionPlaces * samples * part.halves().of() * config.tokens() * config.patchOutputs());
        coefficients = arrays.floats(samples * DenoiseStep.LENGTH);
        draw = arrays.ints(samples * PhiloxNoise.LENGTH);
    }

    /** @throws IllegalStateException of a device that holds its samples alone */
    public Ties requireTies() {
        if (ties == null) {
            throw new IllegalStateException("an exchange of a device that is alone");
        }
        return ties;
    }

    /**
     * Whether products and attention send heads and tokens by themselves, see {@link Sending}: else they write arrays of the device, whose
     * contents are exchanged by a launch of its own.
     */
    static boolean sends(DitConfig config, Part part, Operations operations, Link between) {
        return between == Link.PEERS
                && part.mesh().partsOf(Axis.RING, Axis.HEADS) > 1
                && !part.isPatched()
                && operations.sends(config);
    }

    private static Operand sent(Operations operations, Operand operand, @Nullable Sending sending) {
        return sending == null ? operand : operations.sent(operand, sending);
    }

    /** Fills {@link Ties#link} but for the addresses of other devices' arrays. */
    public void describeExchanges(DitConfig config, Part part, Operations operations) {
        if (ties != null) {
            Exchanges.describe(ties.link(), config, part, operations);
            if (ties.throughHost()) { // of the passes for the classes there may be more than of the others
                HostExchange.setLeastPasses(ties.link(), Exchange.PREDICTION, part.passes());
            }
            OwnedBlocks.describe(ties.link(), config, part, operations);
            if (part.ownersHaveBothHalves()) {
                ownersBatch.set(Batch.PASSES, part.ownersPasses());
            }
        }
    }

    /**
     * Whether a device of several may be given a step while another is still at the one before. All exchanges within a step but the
     * last are followed by others, without which nobody sends again what has not been taken yet; the last has two places.
     */
    public boolean allowStepsAhead() {
        return predictionPlaces > 1;
    }

    /**
     * Gives a step's predictions their place, once {@link #wholeBatch} is filled.
     *
     * @param step any number that all devices count up by one from step to step
     */
    public void placePredictions(DitConfig config, Part part, int step) {
        if (ties != null && predictionPlaces > 1) {
            // Steps are counted beyond the largest int.
            int place = Math.floorMod(step, predictionPlaces);
            int passes = place * part.samples().count() * part.halves().of();
            Exchanges.placePredictions(ties.link(), config, part, passes);
            Batch.movePredictions(wholeBatch, passes);
        }
    }

    /**
     * Fills {@link Ties#link} with another device's addresses.
     *
     * @param part of this device
     * @param other that of another one of the crew, or the own
     * @param state of the other
     */
    public void connect(Part part, Part other, IntArray state) {
        if (ties != null) {
            Exchanges.connect(ties.link(), part, other, state);
            OwnedBlocks.connect(ties.link(), part, other, state);
        }
    }

    /**
     * As {@link #connect}, where the host's memory lies between the devices.
     *
     * @param otherLink of the other's {@link Ties}
     * @param landing what stands for the other's arrays
     */
    public void connectThroughHost(Part part, Part other, IntArray otherLink, HostLanding landing) {
        if (ties != null) {
            Exchanges.connectThroughHost(ties.link(), part, other, otherLink, landing);
        }
    }

    /** Elements of the array that the boxes of each site come to; 0 where none come. */
    public int[] landingElements(DitConfig config, Part part, Operations operations) {
        return Exchanges.landingElements(config, this, part, operations);
    }
}
