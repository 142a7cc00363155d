package org.tornadodit.scheduler;

/** How exact products of matrices are; the names of torch.set_float32_matmul_precision. */
public enum MatmulPrecision {
    /** Every product as accurate as FP32's. */
    HIGHEST,
    /** Operands rounded to FP16, sums in FP32: never worse than TF32. */
    HIGH
}
