package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** The two ends of the VAE decoder: latents come channels first, its convolutions work channels last. */
public final class ImageLayout {
    private ImageLayout() {}

    /**
     * The sampler's latents divided by the scaling factor, through post_quant_conv (1 x 1), channels last. Launch:
     * {@link Launch#elementwise} of n * pixels * C.
     *
     * @param latents (N, C, H * W)
     * @param weight (C, C)
     * @param bias (C)
     * @param out (N, H * W, C)
     */
    public static void postQuantConv(
            KernelContext context,
            FloatArray latents,
            FloatArray weight,
            FloatArray bias,
            FloatArray out,
            @AtLaunch int n,
            int channels,
            int pixels,
            float scalingFactor) {
        int index = context.globalIdx;
        if (index < n * pixels * channels) {
            int channel = index % channels;
            int pixel = index / channels % pixels;
            int image = index / (channels * pixels);
            float sum = bias.get(channel);
            for (int c = 0; c < channels; c++) {
                float z = latents.get((image * channels + c) * pixels + pixel) / scalingFactor;
                sum += weight.get(channel * channels + c) * z;
            }
            out.set(index, sum);
        }
    }

    /** The float64 value of {@link #postQuantConv}'s out[index]. */
    public static double postQuantConvReference(
            FloatArray latents,
            FloatArray weight,
            FloatArray bias,
            int channels,
            int pixels,
            double scalingFactor,
            int index) {
        int channel = index % channels;
        double sum = bias.get(channel);
        for (int c = 0; c < channels; c++) {
            int at = (index / (channels * pixels) * channels + c) * pixels + index / channels % pixels;
            sum += weight.get(channel * channels + c) * (latents.get(at) / scalingFactor);
        }
        return sum;
    }

    /**
     * Images channels first. Launch: {@link Launch#elementwise} of n * channels * pixels.
     *
     * @param x (N, H * W, stride)
     * @param out (N, C, H * W): the first channels of x
     */
    public static void channelsFirst(
            KernelContext context,
            FloatArray x,
            FloatArray out,
            @AtLaunch int n,
            int channels,
            int stride,
            int pixels) {
        int index = context.globalIdx;
        if (index < n * channels * pixels) {
            int pixel = index % pixels;
            int channel = index / pixels % channels;
            int image = index / (pixels * channels);
            out.set(index, x.get((image * pixels + pixel) * stride + channel));
        }
    }

    /**
     * Some rows of one image. Launch: {@link Launch#elementwise} of {@code elements}.
     *
     * @param x (H, W, C)
     * @param out the rows alone
     * @param first element of x
     */
    public static void rows(KernelContext context, FloatArray x, FloatArray out, int first, int elements) {
        int index = context.globalIdx;
        if (index < elements) {
            out.set(index, x.get(first + index));
        }
    }
}
