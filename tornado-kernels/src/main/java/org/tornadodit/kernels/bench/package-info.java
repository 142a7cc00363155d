/**
 * Every kernel with data, reference and launch: what tests check on small shapes and {@code KernelBench} times on the
 * model's.
 */
@NullMarked
package org.tornadodit.kernels.bench;

import org.jspecify.annotations.NullMarked;
