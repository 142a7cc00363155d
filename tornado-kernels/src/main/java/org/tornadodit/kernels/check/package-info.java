/**
 * Every kernel with data, reference and launch, on small shapes and the model's: what tests check, {@code KernelBench}
 * times and the autotuner tries.
 */
@NullMarked
package org.tornadodit.kernels.check;

import org.jspecify.annotations.NullMarked;
