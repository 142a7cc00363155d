package org.tornadodit.kernels;

import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a launch of {@link TensorLinear} or {@link MmaLinear} takes; which one, {@code tile} says.
 *
 * @param layer (1): which of the layers whose weights and biases lie one after the other; 0 for a single one
 * @param batch see {@link Batch}: the rows that count are its passes times {@code tokens}
 * @param x (M, K) packed, rows padded
 * @param weight (layers, N, K) packed, rows not padded, {@link TensorLinear#weightSize} ints
 * @param bias (layers, N + 1): a layer's biases, then the factor that undoes its weight's scale
 * @param after what becomes of the product
 * @param overflow (layers, {@link Overflow#KINDS}): set where a value does not fit a half
 * @param shape M; N, a multiple of 8, and of 16 for {@link Gelu}; K, a multiple of 16 times the tile's slabs
 * @param tokens rows of a pass
 * @param planes 1, 2 or {@link Packed#MIXED}, of both operands and of what is packed; heads then have 2
 * @param tile that a work group makes at a time
 * @param blocks work groups, see {@link ProductTile#blocks}
 * @param spare for what {@code after} has no use for
 * @param awaited where x is what devices send to one another, for {@link Bias} and {@link GateResidual}; else null
 */
public record TensorLinearArguments(
        IntArray layer,
        IntArray batch,
        IntArray x,
        IntArray weight,
        FloatArray bias,
        After after,
        IntArray overflow,
        ProductShape shape,
        int tokens,
        int planes,
        ProductTile tile,
        int blocks,
        Spare spare,
        @Nullable Sending awaited) {

    /**
     * @throws IllegalArgumentException for a tile that products of so many planes cannot have, or where x is awaited and what follows
     *     has no place for it
     */
    public TensorLinearArguments {
        if (tile instanceof TensorLinear.Tile possible) {
            possible.check(planes);
        }
        if (awaited != null && !(after instanceof Bias || after instanceof GateResidual)) {
            throw new IllegalArgumentException(
                    "%s of what devices send to one another: it is awaited by a bias or a gated residual alone"
                            .formatted(after.getClass().getSimpleName()));
        }
    }

    /** Arrays that stand where the kernel has an array to read or to write, and does neither. */
    public record Spare(FloatArray floats, IntArray halves) {}

    /** What follows the product and its bias, in the registers that hold it. */
    public sealed interface After {
        /** The constant of {@link Epilogue}. */
        int epilogue();
    }

    /** Nothing: {@code out} (M, N) gets the floats. */
    public record Bias(FloatArray out) implements After {
        @Override
        public int epilogue() {
            return Epilogue.BIAS;
        }
    }

    /** GELU with the tanh approximation, into an operand (M, N), packed. */
    public record Gelu(IntArray operand) implements After {
        @Override
        public int epilogue() {
            return Epilogue.BIAS_GELU;
        }
    }

    /**
     * {@code residual += gate * product}.
     *
     * @param gate (samples, chunks N), a layer having {@link LayerNorm#CHUNKS} chunks of N columns
     * @param chunk the gate's in layer 0
     * @param chunks of a row of the gate's array
     * @param residual (M, N)
     */
    public record GateResidual(FloatArray gate, int chunk, int chunks, FloatArray residual) implements After {
        @Override
        public int epilogue() {
            return Epilogue.GATE_RESIDUAL;
        }

        /** Both numbers in one int: a task has twenty parameters at most. */
        int place() {
            return chunk | chunks << TensorLinear.GATE_BITS;
        }
    }

    /** The columns are q, k and v of {@code count} heads, written as {@link Packed} heads. */
    public record Heads(IntArray heads, int count) implements After {
        @Override
        public int epilogue() {
            return Epilogue.BIAS_HEADS;
        }
    }

    /** Likewise, sent to the devices that have them. */
    public record SentHeads(Sending sending, int count) implements After {
        @Override
        public int epilogue() {
            return Epilogue.BIAS_HEADS;
        }
    }

    private int heads() {
        return switch (after) {
            case Heads heads -> heads.count();
            case SentHeads heads -> heads.sending().with(heads.count());
            case Bias _, GateResidual _ -> awaited == null ? 0 : awaited.with(0);
            case Gelu _ -> 0;
        };
    }

    /** The launch. */
    public WorkerGrid grid() {
        return Launch.groups(blocks, tile.threads());
    }

    /** Adds the task to a graph. */
    public TaskGraph task(TaskGraph graph, String name) {
        FloatArray gate = after instanceof GateResidual gated ? gated.gate() : spare.floats();
        FloatArray floats = switch (after) {
            case Bias bias -> bias.out();
            case GateResidual gated -> gated.residual();
            case Gelu _, Heads _, SentHeads _ -> spare.floats();
        };
        IntArray halves = switch (after) {
            case Gelu gelu -> gelu.operand();
            case Heads heads -> heads.heads();
            case SentHeads heads -> heads.sending().link();
            case Bias _, GateResidual _ -> awaited == null ? spare.halves() : awaited.link();
        };
        return graph.task(
                name,
                tile instanceof MmaLinear.Tile ? MmaLinear::linear : TensorLinear::linear,
                Launch.CONTEXT,
                layer,
                batch,
                x,
                weight,
                bias,
                gate,
                floats,
                halves,
                overflow,
                shape.m(),
                shape.n(),
                shape.k(),
                planes,
                tile.code(),
                blocks,
                after.epilogue(),
                tokens,
                heads(),
                after instanceof GateResidual gated ? gated.place() : 0);
    }
}
