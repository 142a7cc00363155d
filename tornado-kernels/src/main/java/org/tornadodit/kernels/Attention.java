package org.tornadodit.kernels;

import java.util.function.IntToDoubleFunction;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid3D;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Multi-head self-attention in FP32 without a tokens x tokens array: softmax(q k^T / sqrt(hd)) v with the softmax
 * carried along the keys (M. Milakov and N. Gimelshein, Online normalizer calculation for softmax, 2018; T. Dao et al.,
 * FlashAttention, 2022).
 *
 * <p>A work group of 64 threads serves 64 queries of one head, 64 keys at a time. A thread keeps 8 x 8 scores and 8 x
 * hd/8 outputs in registers, spelled out as variables in runs of four (see {@link Linear}); the queries stay in local
 * memory, keys and values pass through it 8 at a time in two buffers, and the probabilities change hands there. Head
 * sizes are multiples of 8 up to 128; columns that a head size does not have are removed at compile time.
 */
public final class Attention {
    /** Queries, and keys, of a tile. */
    public static final int TILE = 64;

    /** Threads of one work group. */
    public static final int THREADS = 64;

    /** The largest head size. */
    public static final int MAX_HEAD_SIZE = 128;

    private static final int STRIDE = TILE + 4;
    private static final float LOWEST = -1e30f;

    private Attention() {}

    /** The launch for {@code samples} samples. */
    public static WorkerGrid grid(int samples, int tokens, int heads) {
        WorkerGrid grid = new WorkerGrid3D(Launch.ceilDiv(tokens, TILE) * THREADS, heads, samples);
        grid.setLocalWork(THREADS, 1, 1);
        return grid;
    }

    /**
     * Attention of every sample and head.
     *
     * @param batch see {@link Batch}, for N
     * @param qkv (N, T, 3, H, hd), as DiT's {@code attn.qkv} leaves it
     * @param out (N, T, H * hd)
     * @param headSize a multiple of 8, at most {@link #MAX_HEAD_SIZE}
     */
    public static void attention(
            KernelContext context,
            IntArray batch,
            FloatArray qkv,
            FloatArray out,
            int tokens,
            int heads,
            int headSize) {
        // 48 KB hold the queries, two buffers of 8 keys or values, and the probabilities of pKeys keys.
        int pKeys = headSize <= 88 ? 64 : headSize <= 120 ? 32 : 16;
        // 8 mod 16 floats from a value to the next keep the writes of a warp on different banks.
        int vStride = headSize % 16 == 0 ? headSize + 8 : headSize;
        float[] q = context.allocateFloatLocalArray(headSize * STRIDE);
        float[] kv = context.allocateFloatLocalArray(vStride > STRIDE ? 16 * vStride : 16 * STRIDE);
        float[] p = context.allocateFloatLocalArray(pKeys * STRIDE);
        if (context.groupIdz < batch.get(Batch.PASSES)) {
            int thread = context.localIdx;
            int firstQuery = context.groupIdx * TILE;
            int hidden = heads * headSize;
            int tokenStride = 3 * hidden;
            int qBase = context.groupIdz * tokens * tokenStride + context.groupIdy * headSize;
            int kBase = qBase + hidden + thread % 8;
            int vBase = qBase + 2 * hidden + thread % 8;
            int loadRow = thread / 8;
            int loadColumn = thread % 8;
            // A thread's rows, and its keys, are two runs of four; its columns are runs of four and one run of what is
            // left.
            int row = thread / 8 * 4;
            int column = thread % 8 * 4;
            int columns = headSize / 8;
            int runs = columns / 4;
            int rest = 32 * runs + thread % 8 * (columns % 4);

            float scale = 1f / TornadoMath.sqrt((float) headSize);
            for (int i = thread; i < TILE * headSize; i += THREADS) {
                int query = i / headSize;
                int d = i % headSize;
                q[d * STRIDE + query] =
                        scale * qkv.get(qBase + Math.min(firstQuery + query, tokens - 1) * tokenStride + d);
            }

            float highest0 = LOWEST;
            float highest1 = LOWEST;
            float highest2 = LOWEST;
            float highest3 = LOWEST;
            float highest4 = LOWEST;
            float highest5 = LOWEST;
            float highest6 = LOWEST;
            float highest7 = LOWEST;
            float sum0 = 0f;
            float sum1 = 0f;
            float sum2 = 0f;
            float sum3 = 0f;
            float sum4 = 0f;
            float sum5 = 0f;
            float sum6 = 0f;
            float sum7 = 0f;
            float o00 = 0f, o01 = 0f, o02 = 0f, o03 = 0f, o04 = 0f, o05 = 0f, o06 = 0f, o07 = 0f;
            float o08 = 0f, o09 = 0f, o0a = 0f, o0b = 0f, o0c = 0f, o0d = 0f, o0e = 0f, o0f = 0f;
            float o10 = 0f, o11 = 0f, o12 = 0f, o13 = 0f, o14 = 0f, o15 = 0f, o16 = 0f, o17 = 0f;
            float o18 = 0f, o19 = 0f, o1a = 0f, o1b = 0f, o1c = 0f, o1d = 0f, o1e = 0f, o1f = 0f;
            float o20 = 0f, o21 = 0f, o22 = 0f, o23 = 0f, o24 = 0f, o25 = 0f, o26 = 0f, o27 = 0f;
            float o28 = 0f, o29 = 0f, o2a = 0f, o2b = 0f, o2c = 0f, o2d = 0f, o2e = 0f, o2f = 0f;
            float o30 = 0f, o31 = 0f, o32 = 0f, o33 = 0f, o34 = 0f, o35 = 0f, o36 = 0f, o37 = 0f;
            float o38 = 0f, o39 = 0f, o3a = 0f, o3b = 0f, o3c = 0f, o3d = 0f, o3e = 0f, o3f = 0f;
            float o40 = 0f, o41 = 0f, o42 = 0f, o43 = 0f, o44 = 0f, o45 = 0f, o46 = 0f, o47 = 0f;
            float o48 = 0f, o49 = 0f, o4a = 0f, o4b = 0f, o4c = 0f, o4d = 0f, o4e = 0f, o4f = 0f;
            float o50 = 0f, o51 = 0f, o52 = 0f, o53 = 0f, o54 = 0f, o55 = 0f, o56 = 0f, o57 = 0f;
            float o58 = 0f, o59 = 0f, o5a = 0f, o5b = 0f, o5c = 0f, o5d = 0f, o5e = 0f, o5f = 0f;
            float o60 = 0f, o61 = 0f, o62 = 0f, o63 = 0f, o64 = 0f, o65 = 0f, o66 = 0f, o67 = 0f;
            float o68 = 0f, o69 = 0f, o6a = 0f, o6b = 0f, o6c = 0f, o6d = 0f, o6e = 0f, o6f = 0f;
            float o70 = 0f, o71 = 0f, o72 = 0f, o73 = 0f, o74 = 0f, o75 = 0f, o76 = 0f, o77 = 0f;
            float o78 = 0f, o79 = 0f, o7a = 0f, o7b = 0f, o7c = 0f, o7d = 0f, o7e = 0f, o7f = 0f;
            int at = kBase;
            float k0 = qkv.get(at + keyAt(loadRow, tokens) * tokenStride);
            float k1 = qkv.get(at + keyAt(loadRow + 8, tokens) * tokenStride);
            float k2 = qkv.get(at + keyAt(loadRow + 16, tokens) * tokenStride);
            float k3 = qkv.get(at + keyAt(loadRow + 24, tokens) * tokenStride);
            float k4 = qkv.get(at + keyAt(loadRow + 32, tokens) * tokenStride);
            float k5 = qkv.get(at + keyAt(loadRow + 40, tokens) * tokenStride);
            float k6 = qkv.get(at + keyAt(loadRow + 48, tokens) * tokenStride);
            float k7 = qkv.get(at + keyAt(loadRow + 56, tokens) * tokenStride);
            for (int firstKey = 0; firstKey < tokens; firstKey += TILE) {
                float s00 = 0f, s01 = 0f, s02 = 0f, s03 = 0f, s04 = 0f, s05 = 0f, s06 = 0f, s07 = 0f;
                float s10 = 0f, s11 = 0f, s12 = 0f, s13 = 0f, s14 = 0f, s15 = 0f, s16 = 0f, s17 = 0f;
                float s20 = 0f, s21 = 0f, s22 = 0f, s23 = 0f, s24 = 0f, s25 = 0f, s26 = 0f, s27 = 0f;
                float s30 = 0f, s31 = 0f, s32 = 0f, s33 = 0f, s34 = 0f, s35 = 0f, s36 = 0f, s37 = 0f;
                float s40 = 0f, s41 = 0f, s42 = 0f, s43 = 0f, s44 = 0f, s45 = 0f, s46 = 0f, s47 = 0f;
                float s50 = 0f, s51 = 0f, s52 = 0f, s53 = 0f, s54 = 0f, s55 = 0f, s56 = 0f, s57 = 0f;
                float s60 = 0f, s61 = 0f, s62 = 0f, s63 = 0f, s64 = 0f, s65 = 0f, s66 = 0f, s67 = 0f;
                float s70 = 0f, s71 = 0f, s72 = 0f, s73 = 0f, s74 = 0f, s75 = 0f, s76 = 0f, s77 = 0f;
                for (int d = 0; d < headSize; d += 8) {
                    int buffer = (d & 8) * STRIDE;
                    int store = buffer + loadColumn * STRIDE + loadRow;
                    kv[store] = k0;
                    kv[store + 8] = k1;
                    kv[store + 16] = k2;
                    kv[store + 24] = k3;
                    kv[store + 32] = k4;
                    kv[store + 40] = k5;
                    kv[store + 48] = k6;
                    kv[store + 56] = k7;
                    context.localBarrier();
                    // The last round loads the next tile's first keys; they wait in registers.
                    int next = d + 8;
                    int key = firstKey + loadRow;
                    if (next == headSize) {
                        next = 0;
                        key = firstKey + TILE < tokens ? key + TILE : loadRow;
                    }
                    at = kBase + next;
                    k0 = qkv.get(at + keyAt(key, tokens) * tokenStride);
                    k1 = qkv.get(at + keyAt(key + 8, tokens) * tokenStride);
                    k2 = qkv.get(at + keyAt(key + 16, tokens) * tokenStride);
                    k3 = qkv.get(at + keyAt(key + 24, tokens) * tokenStride);
                    k4 = qkv.get(at + keyAt(key + 32, tokens) * tokenStride);
                    k5 = qkv.get(at + keyAt(key + 40, tokens) * tokenStride);
                    k6 = qkv.get(at + keyAt(key + 48, tokens) * tokenStride);
                    k7 = qkv.get(at + keyAt(key + 56, tokens) * tokenStride);
                    for (int four = 0; four < 8; four += 4) {
                        for (int unrolled = 0; unrolled < 4; unrolled++) {
                            int a = (d + four + unrolled) * STRIDE + row;
                            int b = buffer + (four + unrolled) * STRIDE + column;
                            float a0 = q[a];
                            float a1 = q[a + 1];
                            float a2 = q[a + 2];
                            float a3 = q[a + 3];
                            float a4 = q[a + 32];
                            float a5 = q[a + 33];
                            float a6 = q[a + 34];
                            float a7 = q[a + 35];
                            float b0 = kv[b];
                            float b1 = kv[b + 1];
                            float b2 = kv[b + 2];
                            float b3 = kv[b + 3];
                            float b4 = kv[b + 32];
                            float b5 = kv[b + 33];
                            float b6 = kv[b + 34];
                            float b7 = kv[b + 35];
                            // spotless:off
                            s00 += a0 * b0; s01 += a0 * b1; s02 += a0 * b2; s03 += a0 * b3;
                            s04 += a0 * b4; s05 += a0 * b5; s06 += a0 * b6; s07 += a0 * b7;
                            s10 += a1 * b0; s11 += a1 * b1; s12 += a1 * b2; s13 += a1 * b3;
                            s14 += a1 * b4; s15 += a1 * b5; s16 += a1 * b6; s17 += a1 * b7;
                            s20 += a2 * b0; s21 += a2 * b1; s22 += a2 * b2; s23 += a2 * b3;
                            s24 += a2 * b4; s25 += a2 * b5; s26 += a2 * b6; s27 += a2 * b7;
                            s30 += a3 * b0; s31 += a3 * b1; s32 += a3 * b2; s33 += a3 * b3;
                            s34 += a3 * b4; s35 += a3 * b5; s36 += a3 * b6; s37 += a3 * b7;
                            s40 += a4 * b0; s41 += a4 * b1; s42 += a4 * b2; s43 += a4 * b3;
                            s44 += a4 * b4; s45 += a4 * b5; s46 += a4 * b6; s47 += a4 * b7;
                            s50 += a5 * b0; s51 += a5 * b1; s52 += a5 * b2; s53 += a5 * b3;
                            s54 += a5 * b4; s55 += a5 * b5; s56 += a5 * b6; s57 += a5 * b7;
                            s60 += a6 * b0; s61 += a6 * b1; s62 += a6 * b2; s63 += a6 * b3;
                            s64 += a6 * b4; s65 += a6 * b5; s66 += a6 * b6; s67 += a6 * b7;
                            s70 += a7 * b0; s71 += a7 * b1; s72 += a7 * b2; s73 += a7 * b3;
                            s74 += a7 * b4; s75 += a7 * b5; s76 += a7 * b6; s77 += a7 * b7;
                            // spotless:on
                        }
                    }
                }

                int value = vBase + keyAt(firstKey + loadRow, tokens) * tokenStride;
                float v0 = 0f, v1 = 0f, v2 = 0f, v3 = 0f, v4 = 0f, v5 = 0f, v6 = 0f, v7 = 0f;
                float v8 = 0f, v9 = 0f, va = 0f, vb = 0f, vc = 0f, vd = 0f, ve = 0f, vf = 0f;
                // spotless:off
                v0 = qkv.get(value);
                if (columns > 1) { v1 = qkv.get(value + 8); }
                if (columns > 2) { v2 = qkv.get(value + 16); }
                if (columns > 3) { v3 = qkv.get(value + 24); }
                if (columns > 4) { v4 = qkv.get(value + 32); }
                if (columns > 5) { v5 = qkv.get(value + 40); }
                if (columns > 6) { v6 = qkv.get(value + 48); }
                if (columns > 7) { v7 = qkv.get(value + 56); }
                if (columns > 8) { v8 = qkv.get(value + 64); }
                if (columns > 9) { v9 = qkv.get(value + 72); }
                if (columns > 10) { va = qkv.get(value + 80); }
                if (columns > 11) { vb = qkv.get(value + 88); }
                if (columns > 12) { vc = qkv.get(value + 96); }
                if (columns > 13) { vd = qkv.get(value + 104); }
                if (columns > 14) { ve = qkv.get(value + 112); }
                if (columns > 15) { vf = qkv.get(value + 120); }
                // spotless:on
                if (tokens % TILE != 0) {
                    int key = firstKey + column;
                    // spotless:off
                    if (key >= tokens) { s00 = LOWEST; s10 = LOWEST; s20 = LOWEST; s30 = LOWEST; s40 = LOWEST;
                        s50 = LOWEST; s60 = LOWEST; s70 = LOWEST; }
                    if (key + 1 >= tokens) { s01 = LOWEST; s11 = LOWEST; s21 = LOWEST; s31 = LOWEST; s41 = LOWEST;
                        s51 = LOWEST; s61 = LOWEST; s71 = LOWEST; }
                    if (key + 2 >= tokens) { s02 = LOWEST; s12 = LOWEST; s22 = LOWEST; s32 = LOWEST; s42 = LOWEST;
                        s52 = LOWEST; s62 = LOWEST; s72 = LOWEST; }
                    if (key + 3 >= tokens) { s03 = LOWEST; s13 = LOWEST; s23 = LOWEST; s33 = LOWEST; s43 = LOWEST;
                        s53 = LOWEST; s63 = LOWEST; s73 = LOWEST; }
                    if (key + 32 >= tokens) { s04 = LOWEST; s14 = LOWEST; s24 = LOWEST; s34 = LOWEST; s44 = LOWEST;
                        s54 = LOWEST; s64 = LOWEST; s74 = LOWEST; }
                    if (key + 33 >= tokens) { s05 = LOWEST; s15 = LOWEST; s25 = LOWEST; s35 = LOWEST; s45 = LOWEST;
                        s55 = LOWEST; s65 = LOWEST; s75 = LOWEST; }
                    if (key + 34 >= tokens) { s06 = LOWEST; s16 = LOWEST; s26 = LOWEST; s36 = LOWEST; s46 = LOWEST;
                        s56 = LOWEST; s66 = LOWEST; s76 = LOWEST; }
                    if (key + 35 >= tokens) { s07 = LOWEST; s17 = LOWEST; s27 = LOWEST; s37 = LOWEST; s47 = LOWEST;
                        s57 = LOWEST; s67 = LOWEST; s77 = LOWEST; }
                    // spotless:on
                }
                int mine = row * 8 + loadColumn;
                p[mine] = max8(s00, s01, s02, s03, s04, s05, s06, s07);
                p[mine + 8] = max8(s10, s11, s12, s13, s14, s15, s16, s17);
                p[mine + 16] = max8(s20, s21, s22, s23, s24, s25, s26, s27);
                p[mine + 24] = max8(s30, s31, s32, s33, s34, s35, s36, s37);
                p[mine + 256] = max8(s40, s41, s42, s43, s44, s45, s46, s47);
                p[mine + 264] = max8(s50, s51, s52, s53, s54, s55, s56, s57);
                p[mine + 272] = max8(s60, s61, s62, s63, s64, s65, s66, s67);
                p[mine + 280] = max8(s70, s71, s72, s73, s74, s75, s76, s77);
                context.localBarrier();
                int other = row * 8;
                float m0 = highest0;
                float m1 = highest1;
                float m2 = highest2;
                float m3 = highest3;
                float m4 = highest4;
                float m5 = highest5;
                float m6 = highest6;
                float m7 = highest7;
                for (int i = 0; i < 8; i++) {
                    m0 = TornadoMath.max(m0, p[other + i]);
                    m1 = TornadoMath.max(m1, p[other + i + 8]);
                    m2 = TornadoMath.max(m2, p[other + i + 16]);
                    m3 = TornadoMath.max(m3, p[other + i + 24]);
                    m4 = TornadoMath.max(m4, p[other + i + 256]);
                    m5 = TornadoMath.max(m5, p[other + i + 264]);
                    m6 = TornadoMath.max(m6, p[other + i + 272]);
                    m7 = TornadoMath.max(m7, p[other + i + 280]);
                }
                float alpha0 = TornadoMath.exp(highest0 - m0);
                float alpha1 = TornadoMath.exp(highest1 - m1);
                float alpha2 = TornadoMath.exp(highest2 - m2);
                float alpha3 = TornadoMath.exp(highest3 - m3);
                float alpha4 = TornadoMath.exp(highest4 - m4);
                float alpha5 = TornadoMath.exp(highest5 - m5);
                float alpha6 = TornadoMath.exp(highest6 - m6);
                float alpha7 = TornadoMath.exp(highest7 - m7);
                highest0 = m0;
                highest1 = m1;
                highest2 = m2;
                highest3 = m3;
                highest4 = m4;
                highest5 = m5;
                highest6 = m6;
                highest7 = m7;
                // spotless:off
                s00 = TornadoMath.exp(s00 - m0); s01 = TornadoMath.exp(s01 - m0); s02 = TornadoMath.exp(s02 - m0);
                s03 = TornadoMath.exp(s03 - m0); s04 = TornadoMath.exp(s04 - m0); s05 = TornadoMath.exp(s05 - m0);
                s06 = TornadoMath.exp(s06 - m0); s07 = TornadoMath.exp(s07 - m0);
                sum0 = sum0 * alpha0 + (((s00 + s01) + (s02 + s03)) + ((s04 + s05) + (s06 + s07)));
                s10 = TornadoMath.exp(s10 - m1); s11 = TornadoMath.exp(s11 - m1); s12 = TornadoMath.exp(s12 - m1);
                s13 = TornadoMath.exp(s13 - m1); s14 = TornadoMath.exp(s14 - m1); s15 = TornadoMath.exp(s15 - m1);
                s16 = TornadoMath.exp(s16 - m1); s17 = TornadoMath.exp(s17 - m1);
                sum1 = sum1 * alpha1 + (((s10 + s11) + (s12 + s13)) + ((s14 + s15) + (s16 + s17)));
                s20 = TornadoMath.exp(s20 - m2); s21 = TornadoMath.exp(s21 - m2); s22 = TornadoMath.exp(s22 - m2);
                s23 = TornadoMath.exp(s23 - m2); s24 = TornadoMath.exp(s24 - m2); s25 = TornadoMath.exp(s25 - m2);
                s26 = TornadoMath.exp(s26 - m2); s27 = TornadoMath.exp(s27 - m2);
                sum2 = sum2 * alpha2 + (((s20 + s21) + (s22 + s23)) + ((s24 + s25) + (s26 + s27)));
                s30 = TornadoMath.exp(s30 - m3); s31 = TornadoMath.exp(s31 - m3); s32 = TornadoMath.exp(s32 - m3);
                s33 = TornadoMath.exp(s33 - m3); s34 = TornadoMath.exp(s34 - m3); s35 = TornadoMath.exp(s35 - m3);
                s36 = TornadoMath.exp(s36 - m3); s37 = TornadoMath.exp(s37 - m3);
                sum3 = sum3 * alpha3 + (((s30 + s31) + (s32 + s33)) + ((s34 + s35) + (s36 + s37)));
                s40 = TornadoMath.exp(s40 - m4); s41 = TornadoMath.exp(s41 - m4); s42 = TornadoMath.exp(s42 - m4);
                s43 = TornadoMath.exp(s43 - m4); s44 = TornadoMath.exp(s44 - m4); s45 = TornadoMath.exp(s45 - m4);
                s46 = TornadoMath.exp(s46 - m4); s47 = TornadoMath.exp(s47 - m4);
                sum4 = sum4 * alpha4 + (((s40 + s41) + (s42 + s43)) + ((s44 + s45) + (s46 + s47)));
                s50 = TornadoMath.exp(s50 - m5); s51 = TornadoMath.exp(s51 - m5); s52 = TornadoMath.exp(s52 - m5);
                s53 = TornadoMath.exp(s53 - m5); s54 = TornadoMath.exp(s54 - m5); s55 = TornadoMath.exp(s55 - m5);
                s56 = TornadoMath.exp(s56 - m5); s57 = TornadoMath.exp(s57 - m5);
                sum5 = sum5 * alpha5 + (((s50 + s51) + (s52 + s53)) + ((s54 + s55) + (s56 + s57)));
                s60 = TornadoMath.exp(s60 - m6); s61 = TornadoMath.exp(s61 - m6); s62 = TornadoMath.exp(s62 - m6);
                s63 = TornadoMath.exp(s63 - m6); s64 = TornadoMath.exp(s64 - m6); s65 = TornadoMath.exp(s65 - m6);
                s66 = TornadoMath.exp(s66 - m6); s67 = TornadoMath.exp(s67 - m6);
                sum6 = sum6 * alpha6 + (((s60 + s61) + (s62 + s63)) + ((s64 + s65) + (s66 + s67)));
                s70 = TornadoMath.exp(s70 - m7); s71 = TornadoMath.exp(s71 - m7); s72 = TornadoMath.exp(s72 - m7);
                s73 = TornadoMath.exp(s73 - m7); s74 = TornadoMath.exp(s74 - m7); s75 = TornadoMath.exp(s75 - m7);
                s76 = TornadoMath.exp(s76 - m7); s77 = TornadoMath.exp(s77 - m7);
                sum7 = sum7 * alpha7 + (((s70 + s71) + (s72 + s73)) + ((s74 + s75) + (s76 + s77)));
                // spotless:on
                // spotless:off
                o00 *= alpha0; o01 *= alpha0; o02 *= alpha0; o03 *= alpha0; o04 *= alpha0; o05 *= alpha0; o06 *= alpha0;
                o07 *= alpha0; o08 *= alpha0; o09 *= alpha0; o0a *= alpha0; o0b *= alpha0; o0c *= alpha0; o0d *= alpha0;
                o0e *= alpha0; o0f *= alpha0;
                o10 *= alpha1; o11 *= alpha1; o12 *= alpha1; o13 *= alpha1; o14 *= alpha1; o15 *= alpha1; o16 *= alpha1;
                o17 *= alpha1; o18 *= alpha1; o19 *= alpha1; o1a *= alpha1; o1b *= alpha1; o1c *= alpha1; o1d *= alpha1;
                o1e *= alpha1; o1f *= alpha1;
                o20 *= alpha2; o21 *= alpha2; o22 *= alpha2; o23 *= alpha2; o24 *= alpha2; o25 *= alpha2; o26 *= alpha2;
                o27 *= alpha2; o28 *= alpha2; o29 *= alpha2; o2a *= alpha2; o2b *= alpha2; o2c *= alpha2; o2d *= alpha2;
                o2e *= alpha2; o2f *= alpha2;
                o30 *= alpha3; o31 *= alpha3; o32 *= alpha3; o33 *= alpha3; o34 *= alpha3; o35 *= alpha3; o36 *= alpha3;
                o37 *= alpha3; o38 *= alpha3; o39 *= alpha3; o3a *= alpha3; o3b *= alpha3; o3c *= alpha3; o3d *= alpha3;
                o3e *= alpha3; o3f *= alpha3;
                o40 *= alpha4; o41 *= alpha4; o42 *= alpha4; o43 *= alpha4; o44 *= alpha4; o45 *= alpha4; o46 *= alpha4;
                o47 *= alpha4; o48 *= alpha4; o49 *= alpha4; o4a *= alpha4; o4b *= alpha4; o4c *= alpha4; o4d *= alpha4;
                o4e *= alpha4; o4f *= alpha4;
                o50 *= alpha5; o51 *= alpha5; o52 *= alpha5; o53 *= alpha5; o54 *= alpha5; o55 *= alpha5; o56 *= alpha5;
                o57 *= alpha5; o58 *= alpha5; o59 *= alpha5; o5a *= alpha5; o5b *= alpha5; o5c *= alpha5; o5d *= alpha5;
                o5e *= alpha5; o5f *= alpha5;
                o60 *= alpha6; o61 *= alpha6; o62 *= alpha6; o63 *= alpha6; o64 *= alpha6; o65 *= alpha6; o66 *= alpha6;
                o67 *= alpha6; o68 *= alpha6; o69 *= alpha6; o6a *= alpha6; o6b *= alpha6; o6c *= alpha6; o6d *= alpha6;
                o6e *= alpha6; o6f *= alpha6;
                o70 *= alpha7; o71 *= alpha7; o72 *= alpha7; o73 *= alpha7; o74 *= alpha7; o75 *= alpha7; o76 *= alpha7;
                o77 *= alpha7; o78 *= alpha7; o79 *= alpha7; o7a *= alpha7; o7b *= alpha7; o7c *= alpha7; o7d *= alpha7;
                o7e *= alpha7; o7f *= alpha7;
                // spotless:on

                for (int part = 0; part < TILE / pKeys; part++) {
                    context.localBarrier();
                    int pAt = (column - part * pKeys) * STRIDE + row;
                    // spotless:off
                    if (column >= part * pKeys && column < part * pKeys + pKeys) { p[pAt + 0 * STRIDE] = s00;
                        p[pAt + 0 * STRIDE + 1] = s10; p[pAt + 0 * STRIDE + 2] = s20; p[pAt + 0 * STRIDE + 3] = s30;
                        p[pAt + 0 * STRIDE + 32] = s40; p[pAt + 0 * STRIDE + 33] = s50; p[pAt + 0 * STRIDE + 34] = s60;
                        p[pAt + 0 * STRIDE + 35] = s70; }
                    if (column + 1 >= part * pKeys && column + 1 < part * pKeys + pKeys) { p[pAt + 1 * STRIDE] = s01;
                        p[pAt + 1 * STRIDE + 1] = s11; p[pAt + 1 * STRIDE + 2] = s21; p[pAt + 1 * STRIDE + 3] = s31;
                        p[pAt + 1 * STRIDE + 32] = s41; p[pAt + 1 * STRIDE + 33] = s51; p[pAt + 1 * STRIDE + 34] = s61;
                        p[pAt + 1 * STRIDE + 35] = s71; }
                    if (column + 2 >= part * pKeys && column + 2 < part * pKeys + pKeys) { p[pAt + 2 * STRIDE] = s02;
                        p[pAt + 2 * STRIDE + 1] = s12; p[pAt + 2 * STRIDE + 2] = s22; p[pAt + 2 * STRIDE + 3] = s32;
                        p[pAt + 2 * STRIDE + 32] = s42; p[pAt + 2 * STRIDE + 33] = s52; p[pAt + 2 * STRIDE + 34] = s62;
                        p[pAt + 2 * STRIDE + 35] = s72; }
                    if (column + 3 >= part * pKeys && column + 3 < part * pKeys + pKeys) { p[pAt + 3 * STRIDE] = s03;
                        p[pAt + 3 * STRIDE + 1] = s13; p[pAt + 3 * STRIDE + 2] = s23; p[pAt + 3 * STRIDE + 3] = s33;
                        p[pAt + 3 * STRIDE + 32] = s43; p[pAt + 3 * STRIDE + 33] = s53; p[pAt + 3 * STRIDE + 34] = s63;
                        p[pAt + 3 * STRIDE + 35] = s73; }
                    if (column + 32 >= part * pKeys && column + 32 < part * pKeys + pKeys) { p[pAt + 32 * STRIDE] = s04;
                        p[pAt + 32 * STRIDE + 1] = s14; p[pAt + 32 * STRIDE + 2] = s24; p[pAt + 32 * STRIDE + 3] = s34;
                        p[pAt + 32 * STRIDE + 32] = s44; p[pAt + 32 * STRIDE + 33] = s54; p[pAt + 32 * STRIDE + 34] = s64;
                        p[pAt + 32 * STRIDE + 35] = s74; }
                    if (column + 33 >= part * pKeys && column + 33 < part * pKeys + pKeys) { p[pAt + 33 * STRIDE] = s05;
                        p[pAt + 33 * STRIDE + 1] = s15; p[pAt + 33 * STRIDE + 2] = s25; p[pAt + 33 * STRIDE + 3] = s35;
                        p[pAt + 33 * STRIDE + 32] = s45; p[pAt + 33 * STRIDE + 33] = s55; p[pAt + 33 * STRIDE + 34] = s65;
                        p[pAt + 33 * STRIDE + 35] = s75; }
                    if (column + 34 >= part * pKeys && column + 34 < part * pKeys + pKeys) { p[pAt + 34 * STRIDE] = s06;
                        p[pAt + 34 * STRIDE + 1] = s16; p[pAt + 34 * STRIDE + 2] = s26; p[pAt + 34 * STRIDE + 3] = s36;
                        p[pAt + 34 * STRIDE + 32] = s46; p[pAt + 34 * STRIDE + 33] = s56; p[pAt + 34 * STRIDE + 34] = s66;
                        p[pAt + 34 * STRIDE + 35] = s76; }
                    if (column + 35 >= part * pKeys && column + 35 < part * pKeys + pKeys) { p[pAt + 35 * STRIDE] = s07;
                        p[pAt + 35 * STRIDE + 1] = s17; p[pAt + 35 * STRIDE + 2] = s27; p[pAt + 35 * STRIDE + 3] = s37;
                        p[pAt + 35 * STRIDE + 32] = s47; p[pAt + 35 * STRIDE + 33] = s57; p[pAt + 35 * STRIDE + 34] = s67;
                        p[pAt + 35 * STRIDE + 35] = s77; }
                    // spotless:on
                    for (int first = 0; first < pKeys; first += 8) {
                        int buffer = (first & 8) * vStride;
                        int store = buffer + loadRow * vStride + loadColumn;
                        // spotless:off
                        kv[store] = v0;
                        if (columns > 1) { kv[store + 8] = v1; }
                        if (columns > 2) { kv[store + 16] = v2; }
                        if (columns > 3) { kv[store + 24] = v3; }
                        if (columns > 4) { kv[store + 32] = v4; }
                        if (columns > 5) { kv[store + 40] = v5; }
                        if (columns > 6) { kv[store + 48] = v6; }
                        if (columns > 7) { kv[store + 56] = v7; }
                        if (columns > 8) { kv[store + 64] = v8; }
                        if (columns > 9) { kv[store + 72] = v9; }
                        if (columns > 10) { kv[store + 80] = va; }
                        if (columns > 11) { kv[store + 88] = vb; }
                        if (columns > 12) { kv[store + 96] = vc; }
                        if (columns > 13) { kv[store + 104] = vd; }
                        if (columns > 14) { kv[store + 112] = ve; }
                        if (columns > 15) { kv[store + 120] = vf; }
                        // spotless:on
                        context.localBarrier();
                        int key = firstKey + part * pKeys + first + 8 + loadRow;
                        value = vBase + Math.min(key, tokens - 1) * tokenStride;
                        // spotless:off
                        v0 = qkv.get(value);
                        if (columns > 1) { v1 = qkv.get(value + 8); }
                        if (columns > 2) { v2 = qkv.get(value + 16); }
                        if (columns > 3) { v3 = qkv.get(value + 24); }
                        if (columns > 4) { v4 = qkv.get(value + 32); }
                        if (columns > 5) { v5 = qkv.get(value + 40); }
                        if (columns > 6) { v6 = qkv.get(value + 48); }
                        if (columns > 7) { v7 = qkv.get(value + 56); }
                        if (columns > 8) { v8 = qkv.get(value + 64); }
                        if (columns > 9) { v9 = qkv.get(value + 72); }
                        if (columns > 10) { va = qkv.get(value + 80); }
                        if (columns > 11) { vb = qkv.get(value + 88); }
                        if (columns > 12) { vc = qkv.get(value + 96); }
                        if (columns > 13) { vd = qkv.get(value + 104); }
                        if (columns > 14) { ve = qkv.get(value + 112); }
                        if (columns > 15) { vf = qkv.get(value + 120); }
                        // spotless:on
                        for (int four = 0; four < 8; four += 4) {
                            for (int unrolled = 0; unrolled < 4; unrolled++) {
                                int a = (first + four + unrolled) * STRIDE + row;
                                int b = buffer + (four + unrolled) * vStride + column;
                                int c = buffer + (four + unrolled) * vStride + rest;
                                float p0 = p[a];
                                float p1 = p[a + 1];
                                float p2 = p[a + 2];
                                float p3 = p[a + 3];
                                float p4 = p[a + 32];
                                float p5 = p[a + 33];
                                float p6 = p[a + 34];
                                float p7 = p[a + 35];
                                // spotless:off
                                if (columns > 0) { float w0 = kv[(runs > 0 ? b + 0 : c)]; o00 += p0 * w0; o10 += p1 * w0;
                                    o20 += p2 * w0; o30 += p3 * w0; o40 += p4 * w0; o50 += p5 * w0; o60 += p6 * w0;
                                    o70 += p7 * w0; }
                                if (columns > 1) { float w1 = kv[(runs > 0 ? b + 0 : c) + 1]; o01 += p0 * w1;
                                    o11 += p1 * w1; o21 += p2 * w1; o31 += p3 * w1; o41 += p4 * w1; o51 += p5 * w1;
                                    o61 += p6 * w1; o71 += p7 * w1; }
                                if (columns > 2) { float w2 = kv[(runs > 0 ? b + 0 : c) + 2]; o02 += p0 * w2;
                                    o12 += p1 * w2; o22 += p2 * w2; o32 += p3 * w2; o42 += p4 * w2; o52 += p5 * w2;
                                    o62 += p6 * w2; o72 += p7 * w2; }
                                if (columns > 3) { float w3 = kv[(runs > 0 ? b + 0 : c) + 3]; o03 += p0 * w3;
                                    o13 += p1 * w3; o23 += p2 * w3; o33 += p3 * w3; o43 += p4 * w3; o53 += p5 * w3;
                                    o63 += p6 * w3; o73 += p7 * w3; }
                                if (columns > 4) { float w4 = kv[(runs > 1 ? b + 32 : c)]; o04 += p0 * w4; o14 += p1 * w4;
                                    o24 += p2 * w4; o34 += p3 * w4; o44 += p4 * w4; o54 += p5 * w4; o64 += p6 * w4;
                                    o74 += p7 * w4; }
                                if (columns > 5) { float w5 = kv[(runs > 1 ? b + 32 : c) + 1]; o05 += p0 * w5;
                                    o15 += p1 * w5; o25 += p2 * w5; o35 += p3 * w5; o45 += p4 * w5; o55 += p5 * w5;
                                    o65 += p6 * w5; o75 += p7 * w5; }
                                if (columns > 6) { float w6 = kv[(runs > 1 ? b + 32 : c) + 2]; o06 += p0 * w6;
                                    o16 += p1 * w6; o26 += p2 * w6; o36 += p3 * w6; o46 += p4 * w6; o56 += p5 * w6;
                                    o66 += p6 * w6; o76 += p7 * w6; }
                                if (columns > 7) { float w7 = kv[(runs > 1 ? b + 32 : c) + 3]; o07 += p0 * w7;
                                    o17 += p1 * w7; o27 += p2 * w7; o37 += p3 * w7; o47 += p4 * w7; o57 += p5 * w7;
                                    o67 += p6 * w7; o77 += p7 * w7; }
                                if (columns > 8) { float w8 = kv[(runs > 2 ? b + 64 : c)]; o08 += p0 * w8; o18 += p1 * w8;
                                    o28 += p2 * w8; o38 += p3 * w8; o48 += p4 * w8; o58 += p5 * w8; o68 += p6 * w8;
                                    o78 += p7 * w8; }
                                if (columns > 9) { float w9 = kv[(runs > 2 ? b + 64 : c) + 1]; o09 += p0 * w9;
                                    o19 += p1 * w9; o29 += p2 * w9; o39 += p3 * w9; o49 += p4 * w9; o59 += p5 * w9;
                                    o69 += p6 * w9; o79 += p7 * w9; }
                                if (columns > 10) { float wa = kv[(runs > 2 ? b + 64 : c) + 2]; o0a += p0 * wa;
                                    o1a += p1 * wa; o2a += p2 * wa; o3a += p3 * wa; o4a += p4 * wa; o5a += p5 * wa;
                                    o6a += p6 * wa; o7a += p7 * wa; }
                                if (columns > 11) { float wb = kv[(runs > 2 ? b + 64 : c) + 3]; o0b += p0 * wb;
                                    o1b += p1 * wb; o2b += p2 * wb; o3b += p3 * wb; o4b += p4 * wb; o5b += p5 * wb;
                                    o6b += p6 * wb; o7b += p7 * wb; }
                                if (columns > 12) { float wc = kv[(runs > 3 ? b + 96 : c)]; o0c += p0 * wc;
                                    o1c += p1 * wc; o2c += p2 * wc; o3c += p3 * wc; o4c += p4 * wc; o5c += p5 * wc;
                                    o6c += p6 * wc; o7c += p7 * wc; }
                                if (columns > 13) { float wd = kv[(runs > 3 ? b + 96 : c) + 1]; o0d += p0 * wd;
                                    o1d += p1 * wd; o2d += p2 * wd; o3d += p3 * wd; o4d += p4 * wd; o5d += p5 * wd;
                                    o6d += p6 * wd; o7d += p7 * wd; }
                                if (columns > 14) { float we = kv[(runs > 3 ? b + 96 : c) + 2]; o0e += p0 * we;
                                    o1e += p1 * we; o2e += p2 * we; o3e += p3 * we; o4e += p4 * we; o5e += p5 * we;
                                    o6e += p6 * we; o7e += p7 * we; }
                                if (columns > 15) { float wf = kv[(runs > 3 ? b + 96 : c) + 3]; o0f += p0 * wf;
                                    o1f += p1 * wf; o2f += p2 * wf; o3f += p3 * wf; o4f += p4 * wf; o5f += p5 * wf;
                                    o6f += p6 * wf; o7f += p7 * wf; }
                                // spotless:on
                            }
                        }
                    }
                }
                context.localBarrier();
            }

            // Each thread of a row has summed its own keys.
            int sums = row * 8 + loadColumn;
            p[sums] = sum0;
            p[sums + 8] = sum1;
            p[sums + 16] = sum2;
            p[sums + 24] = sum3;
            p[sums + 256] = sum4;
            p[sums + 264] = sum5;
            p[sums + 272] = sum6;
            p[sums + 280] = sum7;
            context.localBarrier();
            sum0 = 0f;
            sum1 = 0f;
            sum2 = 0f;
            sum3 = 0f;
            sum4 = 0f;
            sum5 = 0f;
            sum6 = 0f;
            sum7 = 0f;
            for (int i = 0; i < 8; i++) {
                sum0 = sum0 + p[row * 8 + i];
                sum1 = sum1 + p[row * 8 + i + 8];
                sum2 = sum2 + p[row * 8 + i + 16];
                sum3 = sum3 + p[row * 8 + i + 24];
                sum4 = sum4 + p[row * 8 + i + 256];
                sum5 = sum5 + p[row * 8 + i + 264];
                sum6 = sum6 + p[row * 8 + i + 272];
                sum7 = sum7 + p[row * 8 + i + 280];
            }
            int place = row * headSize + column;
            int placeRest = row * headSize + rest;
            // spotless:off
            if (columns > 0) { int to = (runs > 0 ? place + 0 : placeRest); q[to + 0 * headSize] = o00 / sum0;
                q[to + 1 * headSize] = o10 / sum1; q[to + 2 * headSize] = o20 / sum2; q[to + 3 * headSize] = o30 / sum3;
                q[to + 32 * headSize] = o40 / sum4; q[to + 33 * headSize] = o50 / sum5;
                q[to + 34 * headSize] = o60 / sum6; q[to + 35 * headSize] = o70 / sum7; }
            if (columns > 1) { int to = (runs > 0 ? place + 0 : placeRest) + 1; q[to + 0 * headSize] = o01 / sum0;
                q[to + 1 * headSize] = o11 / sum1; q[to + 2 * headSize] = o21 / sum2; q[to + 3 * headSize] = o31 / sum3;
                q[to + 32 * headSize] = o41 / sum4; q[to + 33 * headSize] = o51 / sum5;
                q[to + 34 * headSize] = o61 / sum6; q[to + 35 * headSize] = o71 / sum7; }
            if (columns > 2) { int to = (runs > 0 ? place + 0 : placeRest) + 2; q[to + 0 * headSize] = o02 / sum0;
                q[to + 1 * headSize] = o12 / sum1; q[to + 2 * headSize] = o22 / sum2; q[to + 3 * headSize] = o32 / sum3;
                q[to + 32 * headSize] = o42 / sum4; q[to + 33 * headSize] = o52 / sum5;
                q[to + 34 * headSize] = o62 / sum6; q[to + 35 * headSize] = o72 / sum7; }
            if (columns > 3) { int to = (runs > 0 ? place + 0 : placeRest) + 3; q[to + 0 * headSize] = o03 / sum0;
                q[to + 1 * headSize] = o13 / sum1; q[to + 2 * headSize] = o23 / sum2; q[to + 3 * headSize] = o33 / sum3;
                q[to + 32 * headSize] = o43 / sum4; q[to + 33 * headSize] = o53 / sum5;
                q[to + 34 * headSize] = o63 / sum6; q[to + 35 * headSize] = o73 / sum7; }
            if (columns > 4) { int to = (runs > 1 ? place + 32 : placeRest); q[to + 0 * headSize] = o04 / sum0;
                q[to + 1 * headSize] = o14 / sum1; q[to + 2 * headSize] = o24 / sum2; q[to + 3 * headSize] = o34 / sum3;
                q[to + 32 * headSize] = o44 / sum4; q[to + 33 * headSize] = o54 / sum5;
                q[to + 34 * headSize] = o64 / sum6; q[to + 35 * headSize] = o74 / sum7; }
            if (columns > 5) { int to = (runs > 1 ? place + 32 : placeRest) + 1; q[to + 0 * headSize] = o05 / sum0;
                q[to + 1 * headSize] = o15 / sum1; q[to + 2 * headSize] = o25 / sum2; q[to + 3 * headSize] = o35 / sum3;
                q[to + 32 * headSize] = o45 / sum4; q[to + 33 * headSize] = o55 / sum5;
                q[to + 34 * headSize] = o65 / sum6; q[to + 35 * headSize] = o75 / sum7; }
            if (columns > 6) { int to = (runs > 1 ? place + 32 : placeRest) + 2; q[to + 0 * headSize] = o06 / sum0;
                q[to + 1 * headSize] = o16 / sum1; q[to + 2 * headSize] = o26 / sum2; q[to + 3 * headSize] = o36 / sum3;
                q[to + 32 * headSize] = o46 / sum4; q[to + 33 * headSize] = o56 / sum5;
                q[to + 34 * headSize] = o66 / sum6; q[to + 35 * headSize] = o76 / sum7; }
            if (columns > 7) { int to = (runs > 1 ? place + 32 : placeRest) + 3; q[to + 0 * headSize] = o07 / sum0;
                q[to + 1 * headSize] = o17 / sum1; q[to + 2 * headSize] = o27 / sum2; q[to + 3 * headSize] = o37 / sum3;
                q[to + 32 * headSize] = o47 / sum4; q[to + 33 * headSize] = o57 / sum5;
                q[to + 34 * headSize] = o67 / sum6; q[to + 35 * headSize] = o77 / sum7; }
            if (columns > 8) { int to = (runs > 2 ? place + 64 : placeRest); q[to + 0 * headSize] = o08 / sum0;
                q[to + 1 * headSize] = o18 / sum1; q[to + 2 * headSize] = o28 / sum2; q[to + 3 * headSize] = o38 / sum3;
                q[to + 32 * headSize] = o48 / sum4; q[to + 33 * headSize] = o58 / sum5;
                q[to + 34 * headSize] = o68 / sum6; q[to + 35 * headSize] = o78 / sum7; }
            if (columns > 9) { int to = (runs > 2 ? place + 64 : placeRest) + 1; q[to + 0 * headSize] = o09 / sum0;
                q[to + 1 * headSize] = o19 / sum1; q[to + 2 * headSize] = o29 / sum2; q[to + 3 * headSize] = o39 / sum3;
                q[to + 32 * headSize] = o49 / sum4; q[to + 33 * headSize] = o59 / sum5;
                q[to + 34 * headSize] = o69 / sum6; q[to + 35 * headSize] = o79 / sum7; }
            if (columns > 10) { int to = (runs > 2 ? place + 64 : placeRest) + 2; q[to + 0 * headSize] = o0a / sum0;
                q[to + 1 * headSize] = o1a / sum1; q[to + 2 * headSize] = o2a / sum2; q[to + 3 * headSize] = o3a / sum3;
                q[to + 32 * headSize] = o4a / sum4; q[to + 33 * headSize] = o5a / sum5;
                q[to + 34 * headSize] = o6a / sum6; q[to + 35 * headSize] = o7a / sum7; }
            if (columns > 11) { int to = (runs > 2 ? place + 64 : placeRest) + 3; q[to + 0 * headSize] = o0b / sum0;
                q[to + 1 * headSize] = o1b / sum1; q[to + 2 * headSize] = o2b / sum2; q[to + 3 * headSize] = o3b / sum3;
                q[to + 32 * headSize] = o4b / sum4; q[to + 33 * headSize] = o5b / sum5;
                q[to + 34 * headSize] = o6b / sum6; q[to + 35 * headSize] = o7b / sum7; }
            if (columns > 12) { int to = (runs > 3 ? place + 96 : placeRest); q[to + 0 * headSize] = o0c / sum0;
                q[to + 1 * headSize] = o1c / sum1; q[to + 2 * headSize] = o2c / sum2; q[to + 3 * headSize] = o3c / sum3;
                q[to + 32 * headSize] = o4c / sum4; q[to + 33 * headSize] = o5c / sum5;
                q[to + 34 * headSize] = o6c / sum6; q[to + 35 * headSize] = o7c / sum7; }
            if (columns > 13) { int to = (runs > 3 ? place + 96 : placeRest) + 1; q[to + 0 * headSize] = o0d / sum0;
                q[to + 1 * headSize] = o1d / sum1; q[to + 2 * headSize] = o2d / sum2; q[to + 3 * headSize] = o3d / sum3;
                q[to + 32 * headSize] = o4d / sum4; q[to + 33 * headSize] = o5d / sum5;
                q[to + 34 * headSize] = o6d / sum6; q[to + 35 * headSize] = o7d / sum7; }
            if (columns > 14) { int to = (runs > 3 ? place + 96 : placeRest) + 2; q[to + 0 * headSize] = o0e / sum0;
                q[to + 1 * headSize] = o1e / sum1; q[to + 2 * headSize] = o2e / sum2; q[to + 3 * headSize] = o3e / sum3;
                q[to + 32 * headSize] = o4e / sum4; q[to + 33 * headSize] = o5e / sum5;
                q[to + 34 * headSize] = o6e / sum6; q[to + 35 * headSize] = o7e / sum7; }
            if (columns > 15) { int to = (runs > 3 ? place + 96 : placeRest) + 3; q[to + 0 * headSize] = o0f / sum0;
                q[to + 1 * headSize] = o1f / sum1; q[to + 2 * headSize] = o2f / sum2; q[to + 3 * headSize] = o3f / sum3;
                q[to + 32 * headSize] = o4f / sum4; q[to + 33 * headSize] = o5f / sum5;
                q[to + 34 * headSize] = o6f / sum6; q[to + 35 * headSize] = o7f / sum7; }
            // spotless:on
            context.localBarrier();
            int outBase = context.groupIdz * tokens * hidden + context.groupIdy * headSize;
            for (int i = thread; i < TILE * headSize; i += THREADS) {
                int query = i / headSize;
                if (firstQuery + query < tokens) {
                    out.set(outBase + (firstQuery + query) * hidden + i % headSize, q[i]);
                }
            }
        }
    }

    /** The token to read for a key that may be past the end. */
    private static int keyAt(int key, int tokens) {
        return tokens % TILE == 0 ? key : Math.min(key, tokens - 1);
    }

    private static float max8(float a, float b, float c, float d, float e, float f, float g, float h) {
        float low = TornadoMath.max(TornadoMath.max(a, b), TornadoMath.max(c, d));
        return TornadoMath.max(low, TornadoMath.max(TornadoMath.max(e, f), TornadoMath.max(g, h)));
    }

    /**
     * The float64 values of out (N, T, heads * headSize), counted along its rows; one thread's, which remembers a query's
     * weights for the next element.
     */
    public static IntToDoubleFunction reference(FloatArray qkv, int tokens, int heads, int headSize) {
        int hidden = heads * headSize;
        double[] weights = new double[tokens];
        int[] known = {-1};
        return index -> {
            int query = index / headSize;
            int row = index / hidden;
            int head = query % heads;
            int base = row / tokens * tokens * 3 * hidden + head * headSize;
            if (query != known[0]) {
                weights(qkv, base, row % tokens, tokens, hidden, headSize, weights);
                known[0] = query;
            }
            double weighted = 0;
            for (int key = 0; key < tokens; key++) {
                weighted += weights[key] * qkv.get(base + (key * 3 + 2) * hidden + index % headSize);
            }
            return weighted;
        };
    }

    /** The softmax of a query's scores. */
    private static void weights(
            FloatArray qkv, int base, int token, int tokens, int hidden, int headSize, double[] weights) {
        double highest = Double.NEGATIVE_INFINITY;
        for (int key = 0; key < tokens; key++) {
            double dot = 0;
            for (int i = 0; i < headSize; i++) {
                dot += (double) qkv.get(base + token * 3 * hidden + i) * qkv.get(base + (key * 3 + 1) * hidden + i);
            }
            weights[key] = dot / Math.sqrt(headSize);
            highest = Math.max(highest, weights[key]);
        }
        double sum = 0;
        for (int key = 0; key < tokens; key++) {
            weights[key] = Math.exp(weights[key] - highest);
            sum += weights[key];
        }
        for (int key = 0; key < tokens; key++) {
            weights[key] /= sum;
        }
    }
}
