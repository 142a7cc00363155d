package org.tornadodit.kernels;

/**
 * Sizes of a convolution of images that are (N, H, W, C), channels last.
 *
 * @param n images
 * @param height H, and {@code width} W: of which image is the kernel's to say
 * @param channels C, of the input
 * @param outChannels O, of the output
 */
public record ConvolutionShape(int n, int height, int width, int channels, int outChannels) {}
