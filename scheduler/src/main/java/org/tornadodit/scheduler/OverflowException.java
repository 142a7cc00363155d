package org.tornadodit.scheduler;

import org.tornadodit.kernels.Overflow;

/** An activation that FP16 operands cannot hold. */
public final class OverflowException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OverflowException(int layer, int kind, int step) {
        super(Overflow.name(layer, kind) + " has a value beyond 65504, the largest of FP16, by step " + step
                + "; --kernels portable computes in FP32");
    }

    /** In the decoder: the input of a layer, which may be some times 65504 where it is not normalized. */
    OverflowException(String layer) {
        super("the input of " + layer + " has a value beyond what an FP16 operand holds; --kernels portable computes in"
                + " FP32");
    }
}
