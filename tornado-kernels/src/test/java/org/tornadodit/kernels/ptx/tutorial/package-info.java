/**
 * The programs of docs/tutorial.md: one product, {@code C = A B^T}, from ten lines to {@code TensorLinear}. They are below
 * {@code kernels.ptx} because that is where the compiler's plugin looks for instructions.
 */
@NullMarked
package org.tornadodit.kernels.ptx.tutorial;

import org.jspecify.annotations.NullMarked;
