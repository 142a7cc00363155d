package org.tornadodit.scheduler.engine;

/** How exact products of matrices are; the names of torch.set_float32_matmul_precision, and one between. */
public enum MatmulPrecision {
    /** Every product as accurate as FP32's. */
    HIGHEST,
    /**
     * The blocks' linear layers with an error of 1e-5: one product in FP16 and two in FP8 for what that leaves; all else as in HIGHEST. On
     * Hopper; elsewhere, and for models that it does not serve or would not speed up, it is HIGHEST.
     */
    HIGHER,
    /**
     * The operands of the blocks' products rounded to FP16, sums in FP32; what acts on the picture directly as in HIGHEST, and
     * all of a small model, see {@code KernelChoice.forModel}. docs/numerics.md says what pictures then differ by.
     */
    HIGH
}
