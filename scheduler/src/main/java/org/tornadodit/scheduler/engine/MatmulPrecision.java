package org.tornadodit.scheduler.engine;

/** How exact products of matrices are; the names of torch.set_float32_matmul_precision. */
public enum MatmulPrecision {
    /** Every product as accurate as FP32's. */
    HIGHEST,
    /**
     * The operands of the blocks' products rounded to FP16, sums in FP32; what acts on the picture directly as in HIGHEST, and
     * all of a small model, see {@code KernelChoice.forModel}. docs/numerics.md says what pictures then differ by.
     */
    HIGH
}
