/** The CPU engine: forward passes on all cores, readable first, and the oracle of the GPU's kernels. */
@NullMarked
package org.tornadodit.model.cpu;

import org.jspecify.annotations.NullMarked;
