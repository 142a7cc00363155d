/** The diffusion process: schedule, respacing, and one reverse step of DDPM or DDIM. */
@NullMarked
package org.tornadodit.model.diffusion;

import org.jspecify.annotations.NullMarked;
