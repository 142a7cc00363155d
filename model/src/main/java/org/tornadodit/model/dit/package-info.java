/** The Diffusion Transformer (Peebles and Xie, arXiv 2212.09748): sizes and weights, with PyTorch's names. */
@NullMarked
package org.tornadodit.model.dit;

import org.jspecify.annotations.NullMarked;
