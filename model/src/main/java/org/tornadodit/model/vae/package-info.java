/** AutoencoderKL's decoder (Rombach et al., arXiv 2112.10752), with diffusers' names: sizes and weights. */
@NullMarked
package org.tornadodit.model.vae;

import org.jspecify.annotations.NullMarked;
