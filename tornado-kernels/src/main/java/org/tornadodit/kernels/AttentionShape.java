package org.tornadodit.kernels;

/**
 * Sizes of a multi-head self-attention.
 *
 * @param samples N that there is room for: passes of the model
 * @param tokens T of a sample, whose keys and values there are
 * @param heads H
 * @param headSize hd
 * @param firstQuery of the tokens that attend
 * @param queries Q: how many attend, all or some of a sample's
 */
public record AttentionShape(int samples, int tokens, int heads, int headSize, int firstQuery, int queries) {

    /** @throws IllegalArgumentException when the queries are not among the tokens */
    public AttentionShape {
        if (firstQuery < 0 || queries < 1 || firstQuery + queries > tokens) {
            throw new IllegalArgumentException(
                    "queries %d to %d of %d tokens".formatted(firstQuery, firstQuery + queries - 1, tokens));
        }
    }

    /** Of all tokens. */
    public AttentionShape(int samples, int tokens, int heads, int headSize) {
        this(samples, tokens, heads, headSize, 0, tokens);
    }

    /** H * hd. */
    public int hidden() {
        return heads * headSize;
    }

    /** Index in the output (N, T, H * hd) of all queries of what lies at an index of (N, Q, H * hd). */
    public int indexAmongAll(int index) {
        int row = index / hidden();
        return (row / queries * tokens + firstQuery + row % queries) * hidden() + index % hidden();
    }
}
