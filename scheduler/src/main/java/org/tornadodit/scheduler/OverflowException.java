package org.tornadodit.scheduler;

import org.tornadodit.kernels.Overflow;

/** An activation that FP16 operands cannot hold. */
public final class OverflowException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OverflowException(int layer, int kind, int depth, int step) {
        super(Overflow.name(layer, kind, depth) + " has a value beyond 65504, the largest of FP16, by step " + step
                + "; --kernels portable computes in FP32");
    }
}
