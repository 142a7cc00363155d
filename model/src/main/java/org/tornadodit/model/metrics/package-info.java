/** How close two images are: mean absolute difference, PSNR, SSIM and LPIPS, as the challenge's evaluate.py has them. */
@NullMarked
package org.tornadodit.model.metrics;

import org.jspecify.annotations.NullMarked;
