/**
 * From noise to data: a {@link org.tornadodit.model.diffusion.Sampler} gives the steps, each of which is data
 * ({@link org.tornadodit.model.diffusion.SamplerStep}) that engines carry out. A noise schedule says how noisy latents are
 * and which time the denoiser is given, a prediction how x_0 follows from its output.
 */
@NullMarked
package org.tornadodit.model.diffusion;

import org.jspecify.annotations.NullMarked;
