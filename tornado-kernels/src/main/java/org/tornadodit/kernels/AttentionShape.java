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
 * @param kept whether keys and values are there of several layers, and the batch says which patch of Q tokens attends: see {@link
 *     TokenPatches}
 */
public record AttentionShape(
        int samples, int tokens, int heads, int headSize, int firstQuery, int queries, boolean kept) {
    /** In place of the first query, where the batch says it. */
    static final int KEPT = -1;

    /** @throws IllegalArgumentException when the queries are not among the tokens */
    public AttentionShape {
        if (firstQuery < 0 || queries < 1 || firstQuery + queries > tokens) {
            throw new IllegalArgumentException(
                    "queries %d to %d of %d tokens".formatted(firstQuery, firstQuery + queries - 1, tokens));
        }
    }

    /** Of some tokens, with one layer's keys and values. */
    public AttentionShape(int samples, int tokens, int heads, int headSize, int firstQuery, int queries) {
        this(samples, tokens, heads, headSize, firstQuery, queries, false);
    }

    /** Of a patch after the other, with keys and values that are kept. */
    public static AttentionShape ofPatches(int samples, int tokens, int heads, int headSize, int queries) {
        return new AttentionShape(samples, tokens, heads, headSize, 0, queries, true);
    }

    /** For kernels: the first query, or {@link #KEPT}. */
    int queriesFrom() {
        return kept ? KEPT : firstQuery;
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
