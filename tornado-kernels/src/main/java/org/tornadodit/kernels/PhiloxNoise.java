package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The normals of torch.randn on a CUDA device: Philox4x32-10 (J. Salmon et al., Parallel random numbers: as easy as
 * 1, 2, 3, 2011) and the Box-Muller transform as cuRAND applies it. Any element of any call is found from its index, so
 * that a shard draws its own slice of the one stream.
 *
 * <p>A call of n elements runs on S threads, S = 256 * min(multiprocessors * (threads of a multiprocessor / 256),
 * ceil(n / 256)). Thread i writes the four normals of counter (call, i) to elements i, i + S, i + 2 S and i + 3 S, and
 * goes on 4 S further with the next counter.
 *
 * <p>The 32-bit words are kept in longs that are never negative, and the high half of a product is put together from
 * parts that fit: TornadoVM's OpenCL backend makes Java's logical shifts arithmetic, its PTX backend the arithmetic
 * ones logical, and no mask helps, because the compiler knows that Java needs none.
 */
public final class PhiloxNoise {
    /** Indices into the int array of a draw: the seed's low and high word, */
    public static final int SEED_LOW = 0;

    public static final int SEED_HIGH = 1;
    /** the counter of the call, torch's Philox offset divided by 4, low and high word, */
    public static final int CALL_LOW = 2;

    public static final int CALL_HIGH = 3;
    /** S, the threads of torch's launch, */
    public static final int TORCH_THREADS = 4;
    /** and the index in the call of the first element drawn here. */
    public static final int FIRST_ELEMENT = 5;

    /** Length of the int array of a draw; several draws lie one after the other. */
    public static final int LENGTH = 6;

    private static final long MASK = 0xffffffffL;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final long WEYL_0 = 0x9E3779B9L;
    private static final long WEYL_1 = 0xBB67AE85L;
    private static final int ROUNDS = 10;
    private static final float TWO_POW_MINUS_32 = 0x1p-32f;
    private static final float TWO_PI_POW_MINUS_32 = 0x1p-32f * 6.2831855f;

    private PhiloxNoise() {}

    /**
     * {@code elements} normals of a call, from FIRST_ELEMENT on. Launch: {@link Launch#elementwise}.
     *
     * @param draw see the constants
     */
    public static void randn(KernelContext context, IntArray draw, FloatArray out, int elements) {
        int index = context.globalIdx;
        if (index < elements) {
            out.set(index, normal(draw, 0, index));
        }
    }

    /** The four words of Philox for {@code elements} consecutive threads of a call, for tests: out[4 i + word]. */
    public static void words(KernelContext context, IntArray draw, IntArray out, int elements) {
        int index = context.globalIdx;
        if (index < elements) {
            int thread = draw.get(FIRST_ELEMENT) + index;
            for (int word = 0; word < 4; word++) {
                out.set(4 * index + word, (int) word(draw, 0, 0, thread, word));
            }
        }
    }

    /** The normal of element FIRST_ELEMENT + index of the draw that begins at {@code from}. */
    static float normal(IntArray draw, int from, int index) {
        int threads = draw.get(from + TORCH_THREADS);
        int element = draw.get(from + FIRST_ELEMENT) + index;
        int iteration = element / threads;
        int thread = element % threads;
        int component = iteration & 3;
        int pair = component & 2;
        long radiusWord = word(draw, from, iteration / 4, thread, pair);
        long angleWord = word(draw, from, iteration / 4, thread, pair + 1);
        float u = (float) radiusWord * TWO_POW_MINUS_32 + TWO_POW_MINUS_32 / 2f;
        float angle = (float) angleWord * TWO_PI_POW_MINUS_32 + TWO_PI_POW_MINUS_32 / 2f;
        float radius = TornadoMath.sqrt(-2f * FloatMath.logUnit(u));
        float direction = (component & 1) == 0 ? FloatMath.sin(angle) : FloatMath.cos(angle);
        return radius * direction;
    }

    /** One of the four words of counter (call + offset, thread) after ten rounds, an unsigned int in a long. */
    private static long word(IntArray draw, int from, int offset, int thread, int which) {
        long c0 = (draw.get(from + CALL_LOW) + offset) & MASK;
        long c1 = draw.get(from + CALL_HIGH) & MASK;
        long c2 = thread & MASK;
        long c3 = 0L;
        long k0 = draw.get(from + SEED_LOW) & MASK;
        long k1 = draw.get(from + SEED_HIGH) & MASK;
        for (int round = 0; round < ROUNDS; round++) {
            long high0 = multiplyHigh(c0, MULTIPLIER_0 & 0xffffL, MULTIPLIER_0 >> 16);
            long high1 = multiplyHigh(c2, MULTIPLIER_1 & 0xffffL, MULTIPLIER_1 >> 16);
            long low0 = (c0 * MULTIPLIER_0) & MASK;
            long low1 = (c2 * MULTIPLIER_1) & MASK;
            long x0 = high1 ^ c1 ^ k0;
            long x2 = high0 ^ c3 ^ k1;
            c0 = x0;
            c1 = low1;
            c2 = x2;
            c3 = low0;
            k0 = (k0 + WEYL_0) & MASK;
            k1 = (k1 + WEYL_1) & MASK;
        }
        long result = c0;
        if (which == 1) {
            result = c1;
        }
        if (which == 2) {
            result = c2;
        }
        if (which == 3) {
            result = c3;
        }
        return result;
    }

    /** The high 32 bits of the product of a and the number with 16-bit halves bLow and bHigh; sums stay below 2^49. */
    private static long multiplyHigh(long a, long bLow, long bHigh) {
        return (a * bHigh + ((a * bLow) >> 16)) >> 16;
    }
}
