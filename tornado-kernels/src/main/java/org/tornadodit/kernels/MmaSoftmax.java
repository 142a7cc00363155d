package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.Warp;

/**
 * The softmax of {@link MmaAttention} with one plane in Ampere's form: a row's highest exponent rises only where a score would
 * otherwise be too large a weight for a half, so that most tiles of keys neither look for their largest score nor rescale the output. A
 * weight is up to 2 to the {@link #MOST_BITS}, where the wgmma tier's is up to 2 to the 14, and the row's largest at least 2 to the
 * {@link #FIRST_BITS} when it was met: half a weight's smallest step is 2 to the -31 of it.
 *
 * <p>Whether a row rises depends on its own scores alone, not on the rows that share a warp with it.
 */
final class MmaSoftmax {
    /** Keys after which rows may rise: constant, since their number changes bits. */
    private static final int KEYS = 32;
    /** The largest weight of a row that has risen is 2 to this. */
    private static final float FIRST_BITS = 6f;
    /** A row rises where a weight would be 2 to this or more. */
    private static final float MOST_BITS = 15f;
    /** Weights that add up to less are all below 2 to the {@link #MOST_BITS}, with room for how exact exponentials are. */
    private static final float LARGE = 32000f;

    private MmaSoftmax() {}

    /** Keys of a tile that are weighed at a time. */
    static int keys(int keys) {
        return keys % KEYS == 0 ? KEYS : keys;
    }

    /** Scores of keys beyond the last, from the {@code first} on of a tile of {@code keys}, get no weight. */
    static void mask(float[] s, int queryTiles, int first, int count, int keys, int tokens, boolean last) {
        int there = Math.max(tokens % keys - first, 0);
        if (tokens % keys != 0 && there < count) {
            float limit = last ? WarpgroupAttentionTile.LOWEST : -WarpgroupAttentionTile.LOWEST;
            for (int m = 0; m < queryTiles; m++) {
                for (int i = there / 2; i < count / 2; i++) {
                    int at = m * (count / 2) + i;
                    Registers.set(s, at, Approximate.min(Registers.get(s, at), limit));
                }
            }
        }
    }

    /** Scores become weights, an operand, and join the sums of their rows. */
    static void weigh(
            float[] s,
            int[] p,
            float[] o,
            float[] sums,
            float[] highest,
            int queryTiles,
            int keys,
            int columns,
            float scale) {
        float[] tileSums = Registers.floats(2 * queryTiles);
        float all = weights(s, p, tileSums, highest, queryTiles, keys, scale);
        if (Warp.anyNotBelow(all, LARGE) != 0) {
            for (int row = 0; row < 2 * queryTiles; row++) {
                raise(s, o, sums, highest, row, keys, columns, scale);
            }
            weights(s, p, tileSums, highest, queryTiles, keys, scale);
        }
        Registers.add(sums, tileSums);
    }

    /** Weights by the exponents so far; what all those of a thread add up to. */
    private static float weights(
            float[] s, int[] p, float[] tileSums, float[] highest, int queryTiles, int keys, float scale) {
        float all = 0f;
        for (int row = 0; row < 2 * queryTiles; row++) {
            float now = Registers.get(highest, row);
            float sum = 0f;
            for (int j = 0; j < keys / 8; j++) {
                int i = first(row, keys) + 4 * j;
                float x = Approximate.exp2(Approximate.fma(Registers.get(s, i), scale, -now));
                float y = Approximate.exp2(Approximate.fma(Registers.get(s, i + 1), scale, -now));
                sum = j == 0 ? x + y : sum + (x + y);
                Registers.set(p, row / 2 * (keys / 4) + 2 * j + row % 2, Packed.high(x, y));
            }
            Registers.set(tileSums, row, sum);
            all = row == 0 ? sum : all + sum;
        }
        return all;
    }

    /** Where a row's scores begin; they are two in every four. */
    private static int first(int row, int keys) {
        return row / 2 * (keys / 2) + row % 2 * 2;
    }

    private static void raise(
            float[] s, float[] o, float[] sums, float[] highest, int row, int keys, int columns, float scale) {
        int first = first(row, keys);
        float top = Approximate.max(Registers.get(s, first), Registers.get(s, first + 1));
        for (int j = 1; j < keys / 8; j++) {
            int i = first + 4 * j;
            top = Approximate.max(top, Approximate.max(Registers.get(s, i), Registers.get(s, i + 1)));
        }
        top = Approximate.max(top, Warp.shuffleXor(top, 1));
        top = Approximate.max(top, Warp.shuffleXor(top, 2));
        float before = Registers.get(highest, row);
        boolean rises = Approximate.fma(top, scale, -before) >= MOST_BITS;
        float now = rises ? Approximate.fma(top, scale, -FIRST_BITS) : before;
        float factor = Approximate.exp2(before - now);
        Registers.set(highest, row, now);
        Registers.set(sums, row, Registers.get(sums, row) * factor);
        for (int column = 0; column < columns; column++) {
            int i = (row / 2 * columns + column) * 4 + row % 2 * 2;
            Registers.set(o, i, Registers.get(o, i) * factor);
            Registers.set(o, i + 1, Registers.get(o, i + 1) * factor);
        }
    }
}
