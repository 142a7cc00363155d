package org.tornadodit.scheduler.engine;

import org.tornadodit.kernels.Overflow;

/** A value of the model that the engine's numbers cannot hold: FP16 operands, or float32. */
public final class OverflowException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Tensors by their names in messages. */
    public static final String STATE = "the state";

    public static final String LATENTS = "the batch of latents";
    public static final String IMAGES = "the output of the decoder";

    public OverflowException(int layer, int kind, int step) {
        super(Overflow.name(layer, kind) + " has a value beyond 65504, the largest of FP16, by step " + step
                + "; --kernels portable computes in FP32");
    }

    private OverflowException(String tensor, String when) {
        super(tensor + " has a value that float32 does not hold (NaN or infinite), " + when
                + "; see whether the weights are whole and --cfg-scale is moderate");
    }

    /** Beyond float32 by a step. */
    public static OverflowException ofFloat(String tensor, int step) {
        return new OverflowException(tensor, "by step " + step);
    }

    /** Beyond float32 in the decoder. */
    public static OverflowException ofDecoder(String tensor) {
        return new OverflowException(tensor, "in the decoder");
    }

    /** In the decoder: the input of a layer, which may be some times 65504 where it is not normalized. */
    public OverflowException(String layer) {
        super("the input of " + layer + " has a value beyond what an FP16 operand holds; --kernels portable computes in"
                + " FP32");
    }
}
