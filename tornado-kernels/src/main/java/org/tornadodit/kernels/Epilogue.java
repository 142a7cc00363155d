package org.tornadodit.kernels;

import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * What {@link Linear}, {@link LinearFewRows} and {@link Conv2d} do to a product before they store it. An int constant
 * of the task chooses, so the compiled kernel holds nothing of the others.
 */
public final class Epilogue {
    /** v. */
    public static final int NONE = 0;

    /** v + bias[column]. */
    public static final int BIAS = 1;

    /** GELU with the tanh approximation, of v + bias[column]: {@code nn.GELU(approximate="tanh")}. */
    public static final int BIAS_GELU = 2;

    /** SiLU of v + bias[column]. */
    public static final int BIAS_SILU = 3;

    /** residual[row, column] + gate[row / rowsPerSample, gateOffset + column] * (v + bias[column]): adaLN-Zero. */
    public static final int GATE_RESIDUAL = 4;

    /** v + bias[column] + table[row % rowsPerSample, column], the table in place of the residual: positions. */
    public static final int ADD_TABLE = 5;

    /** residual[row, column] + v + bias[column]. */
    public static final int RESIDUAL = 6;

    /** v + bias[row]: a product whose weight is the left operand, for a transposed result. */
    public static final int BIAS_ROW = 7;

    /** v + bias[column], columns being q, k and v of all heads, written as {@link Packed} heads. */
    public static final int BIAS_HEADS = 8;

    private static final List<String> NAMES =
            List.of("none", "bias", "gelu", "silu", "gate", "table", "residual", "bias of rows", "heads");

    private Epilogue() {}

    /** In a word, for tables. */
    public static String name(int epilogue) {
        return epilogue >= 0 && epilogue < NAMES.size() ? NAMES.get(epilogue) : String.valueOf(epilogue);
    }

    /**
     * Stores what becomes of the product v at (row, column) of an (M, n) array from element base of out, with the bias
     * from biasBase.
     */
    static void store(
            FloatArray bias,
            int biasBase,
            FloatArray residual,
            FloatArray gate,
            FloatArray out,
            int base,
            int row,
            int column,
            int n,
            int epilogue,
            int rowsPerSample,
            int gateOffset,
            int gateStride,
            float v) {
        int at = base + row * n + column;
        float biasAt = bias(bias, biasBase, row, column, epilogue);
        float gateAt = gate(gate, row, column, epilogue, rowsPerSample, gateOffset, gateStride);
        float residualAt = residual(residual, at, row, column, n, epilogue, rowsPerSample);
        out.set(at, result(v, biasAt, gateAt, residualAt, epilogue));
    }

    /** What {@link #result} wants of the bias for an output. */
    static float bias(FloatArray bias, int biasBase, int row, int column, int epilogue) {
        return epilogue == NONE ? 0f : bias.get(biasBase + (epilogue == BIAS_ROW ? row : column));
    }

    /** What {@link #result} wants of the gate for an output. */
    static float gate(
            FloatArray gate, int row, int column, int epilogue, int rowsPerSample, int gateOffset, int gateStride) {
        return epilogue == GATE_RESIDUAL ? gate.get(row / rowsPerSample * gateStride + gateOffset + column) : 1f;
    }

    /** What {@link #result} wants of the residual or table for the output that is element {@code at} of the array. */
    static float residual(FloatArray residual, int at, int row, int column, int n, int epilogue, int rowsPerSample) {
        if (epilogue == ADD_TABLE) {
            return residual.get(row % rowsPerSample * n + column);
        }
        return epilogue == GATE_RESIDUAL || epilogue == RESIDUAL ? residual.get(at) : 0f;
    }

    /**
     * What becomes of the product v. A kernel that stores several outputs reads for all of them first: no read goes before
     * a store in the source that could have written the same, so that one by one each would wait for memory.
     */
    static float result(float v, float bias, float gate, float residual, int epilogue) {
        float result = epilogue == NONE ? v : v + bias;
        if (epilogue == BIAS_GELU) {
            result = FloatMath.gelu(result);
        } else if (epilogue == BIAS_SILU) {
            result = FloatMath.silu(result);
        } else if (epilogue == GATE_RESIDUAL) {
            result = residual + gate * result;
        } else if (epilogue == ADD_TABLE || epilogue == RESIDUAL) {
            result = residual + result;
        }
        return result;
    }

    /** The float64 value of {@link #store}; indices as in {@link Linear#linear}. */
    static double reference(
            FloatArray bias,
            int biasBase,
            FloatArray residual,
            FloatArray gate,
            int row,
            int column,
            int n,
            int epilogue,
            int rowsPerSample,
            int gateOffset,
            int gateStride,
            double v) {
        return switch (epilogue) {
            case NONE -> v;
            case BIAS -> v + bias.get(biasBase + column);
            case BIAS_GELU -> FloatMath.geluReference(v + bias.get(biasBase + column));
            case BIAS_SILU -> FloatMath.siluReference(v + bias.get(biasBase + column));
            case GATE_RESIDUAL ->
                residual.get(row * n + column)
                        + (double) gate.get(row / rowsPerSample * gateStride + gateOffset + column)
                                * (v + bias.get(biasBase + column));
            case ADD_TABLE -> residual.get(row % rowsPerSample * n + column) + v + bias.get(biasBase + column);
            case RESIDUAL -> residual.get(row * n + column) + v + bias.get(biasBase + column);
            case BIAS_ROW -> v + bias.get(biasBase + row);
            default -> throw new IllegalArgumentException("no epilogue " + epilogue);
        };
    }
}
