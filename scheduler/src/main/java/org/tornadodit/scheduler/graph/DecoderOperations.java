package org.tornadodit.scheduler.graph;

import java.util.List;
import java.util.Optional;
import org.tornadodit.model.Linear;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.model.vae.VaeWeights.Resnet;

/**
 * The decoder's parts as tasks, with the kernels of one tier. Feature maps are (N, H, W, C); {@link VaeBuffers#x} is the one
 * that a part reads and writes, unless it says otherwise.
 */
interface DecoderOperations {

    /** {@code conv_in(post_quant_conv(latents / scaling_factor))}. */
    void head(GraphScope g, VaeWeights weights, int out);

    /** {@code x + conv2(silu(norm2(conv1(silu(norm1(x))))))}, the input through conv_shortcut where channels change. */
    void resnet(GraphScope g, List<Resnet> layers, int in, int out, int size);

    /** {@code x + to_out(softmax(q k^T / sqrt(C)) v)} over all pixels, one head. */
    void attention(GraphScope g, VaeWeights.Attention layer, int channels, int size);

    /** Nearest doubling and a convolution, which reads the small map; the result is {@code x} of the doubled size. */
    void upsampler(GraphScope g, Linear conv, int channels, int size);

    /** {@code conv_out(silu(conv_norm_out(x)))}, channels first. */
    void tail(GraphScope g, VaeWeights weights, int in, int out, int size);

    /** The arrays of weights that live on the device only; the first graph takes them over. */
    Object[] weights();

    /** What is to be sent to {@link #weights}, once all parts are written. */
    List<StagedWeights> staged();

    /** What all graphs but the last hand on, weights included. */
    Object[] carried();

    /** What the last graph brings to the host. */
    Object[] results();

    /** After a pass: PyTorch's name of a layer whose input did not fit its representation, if there was one. */
    Optional<String> overflow();
}
