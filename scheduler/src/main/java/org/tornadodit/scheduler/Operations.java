package org.tornadodit.scheduler;

import java.util.List;
import org.tornadodit.model.Linear;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * DiT's operations as tasks, with the kernels of one tier. The graphs say what happens in which order; this says with
 * which kernel, on which representation of the operands. Task names are PyTorch's module paths with {@code _}.
 *
 * <p>N samples (both halves of guidance), T tokens, D hidden size.
 */
interface Operations {

    /** The tier, for the user. */
    String description();

    /** Room for a product's left operand of (rows, columns), for up to as many columns as any layer has. */
    Operand operand(int rows, int columns);

    /** Bytes of device memory that {@link #operand} takes. */
    long operandBytes(long rows, long columns);

    /** Copies the same layer of all blocks into one array a device can hold. */
    ProductWeights weights(List<Linear> layers);

    /** {@code modulate(norm(x), shift, scale)}, (N, T, D). */
    void normModulate(GraphScope g, String task, FloatArray x, Modulation modulation, Operand out, Rows rows);

    /** {@code x W^T + b} as an operand of what follows. */
    void linear(GraphScope g, String task, IntArray layer, Operand x, ProductWeights w, Operand out, Rows rows);

    /** {@code x W^T + b} as plain floats. */
    void linear(GraphScope g, String task, IntArray layer, Operand x, ProductWeights w, FloatArray out, Rows rows);

    /** {@code x W^T + b + table}, the table's rows repeating every T rows. */
    void linearAddTable(
            GraphScope g,
            String task,
            IntArray layer,
            Operand x,
            ProductWeights w,
            FloatArray table,
            FloatArray out,
            Rows rows);

    /** {@code gelu(x W^T + b)}, the tanh approximation. */
    void linearGelu(GraphScope g, String task, IntArray layer, Operand x, ProductWeights w, Operand out, Rows rows);

    /** {@code x = x + gate * (in W^T + b)}, in place. */
    void linearGateResidual(
            GraphScope g,
            String task,
            IntArray layer,
            Operand in,
            ProductWeights w,
            Gate gate,
            FloatArray x,
            Rows rows);

    /** Multi-head attention of (N, T, 3 D) to (N, T, D). */
    void attention(GraphScope g, String task, Operand qkv, Operand out, Rows rows, int heads);

    /** {@code x W^T + b} of the few rows of the conditioning (N, D), plain floats on both sides. */
    void fewRows(
            GraphScope g,
            String task,
            IntArray layer,
            FloatArray x,
            ProductWeights w,
            FloatArray out,
            int rows,
            boolean silu);

    /** Patches of the latents, (N, T, C P P), as an operand. */
    void patchify(
            GraphScope g, String task, FloatArray latents, Operand out, int samples, int distinct, Patches patches);

    /** The rows of the token arrays: samples times tokens. */
    record Rows(int samples, int tokens) {
        int count() {
            return samples * tokens;
        }
    }

    /** Shift and scale: chunks of D columns of an adaLN_modulation's output (N, chunks * D). */
    record Modulation(FloatArray array, int shiftChunk, int scaleChunk, int chunks) {}

    /** A gate: one chunk of D columns of an adaLN_modulation's output (N, chunks * D). */
    record Gate(FloatArray array, int chunk, int chunks) {}

    /** How latents are cut: channels C, size H = W, patch P. */
    record Patches(int channels, int size, int patch) {}
}
