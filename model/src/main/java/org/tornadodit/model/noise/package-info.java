/** The normal numbers that {@code torch.randn} draws, on a GPU and on a CPU. */
@NullMarked
package org.tornadodit.model.noise;

import org.jspecify.annotations.NullMarked;
