package org.tornadodit.model.cpu;

import org.tornadodit.model.Shape;

/** Sees the outputs of the model's parts as they are computed, for comparison with PyTorch's. */
@FunctionalInterface
public interface Probe {

    /**
     * The output of one part, in PyTorch's shape, for images that go through the model together: all of a small batch
     * for DiT, one for the decoder.
     *
     * @param module PyTorch's path, such as {@code blocks.0.attn.qkv}
     * @param shape as PyTorch has it, (N, T, D) or (N, C, H, W)
     * @param values a copy in row-major order
     */
    void output(String module, Shape shape, float[] values);
}
