/**
 * How close two images are: mean absolute difference, PSNR, SSIM and LPIPS, as the challenge's evaluate.py has them; how close two
 * sets of them are: FID and what Inception gives beside it; and the PNG, JPEG and WebP files of both.
 */
@NullMarked
package org.tornadodit.model.metrics;

import org.jspecify.annotations.NullMarked;
