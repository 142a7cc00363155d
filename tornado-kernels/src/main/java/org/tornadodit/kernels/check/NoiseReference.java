package org.tornadodit.kernels.check;

import org.tornadodit.kernels.PhiloxNoise;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link PhiloxNoise} with Java's own 64-bit products, and Box-Muller in double precision on the same float32 u and v.
 */
public final class NoiseReference {
    private NoiseReference() {}

    /** The words of a counter; each an unsigned int in a long. */
    public static long[] words(int callLow, int callHigh, int thread, int seedLow, int seedHigh) {
        long mask = 0xffffffffL;
        long[] c = {callLow & mask, callHigh & mask, thread & mask, 0};
        long k0 = seedLow & mask;
        long k1 = seedHigh & mask;
        for (int round = 0; round < 10; round++) {
            long p0 = 0xD2511F53L * c[0];
            long p1 = 0xCD9E8D57L * c[2];
            c = new long[] {(p1 >>> 32) ^ c[1] ^ k0, p1 & mask, (p0 >>> 32) ^ c[3] ^ k1, p0 & mask};
            k0 = (k0 + 0x9E3779B9L) & mask;
            k1 = (k1 + 0xBB67AE85L) & mask;
        }
        return c;
    }

    /** The normal of element FIRST_ELEMENT + index of the draw that begins at {@code from}. */
    public static double normal(IntArray draw, int from, int index) {
        int element = draw.get(from + PhiloxNoise.FIRST_ELEMENT) + index;
        int iteration = element / draw.get(from + PhiloxNoise.TORCH_THREADS);
        long[] words = words(
                draw.get(from + PhiloxNoise.CALL_LOW) + iteration / 4,
                draw.get(from + PhiloxNoise.CALL_HIGH),
                element % draw.get(from + PhiloxNoise.TORCH_THREADS),
                draw.get(from + PhiloxNoise.SEED_LOW),
                draw.get(from + PhiloxNoise.SEED_HIGH));
        int component = iteration % 4;
        float u = (float) words[component / 2 * 2] * 0x1p-32f + 0x1p-33f;
        float scale = 0x1p-32f * 6.2831855f;
        float v = (float) words[component / 2 * 2 + 1] * scale + scale / 2;
        double radius = Math.sqrt(-2 * Math.log(u));
        return radius * (component % 2 == 0 ? Math.sin(v) : Math.cos(v));
    }
}
