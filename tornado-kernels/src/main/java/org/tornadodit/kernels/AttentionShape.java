package org.tornadodit.kernels;

/**
 * Sizes of a multi-head self-attention.
 *
 * @param samples N that there is room for: passes of the model
 * @param tokens T of a sample
 * @param heads H
 * @param headSize hd
 */
public record AttentionShape(int samples, int tokens, int heads, int headSize) {

    /** H * hd. */
    public int hidden() {
        return heads * headSize;
    }
}
