package org.tornadodit.model.noise;

/**
 * {@code torch.randn} on a CUDA device: cuRAND's Philox4x32-10 and Box-Muller, spread over threads as PyTorch does.
 *
 * <p>Where an element comes from, for a call of n elements that starts at counter c, with S = {@link CudaGrid#threads}:
 * element e is output {@code (e / S) % 4} of thread {@code e % S} in round {@code e / (4 S)}, and the four words of a
 * thread t in round r are Philox's block of key = seed and counter words (c + r low, c + r high, t low, t high). Words
 * x, y give outputs 0 and 1, words z, w give outputs 2 and 3. The next call starts at c + {@link CudaGrid#counters}.
 *
 * <p>Accuracy: the words are exact. A GPU evaluates sine and cosine by its fast instruction: the angle is multiplied by
 * 1 / (2 pi) in float32, rounded towards zero, then looked up. The rounding of the angle is reproduced here; the table
 * of the chip, which is not published, is replaced by exact values. Its absolute error of about 2^-22 of the radius
 * remains: half of all values agree within 2 units in the last place, and values near zero, which are small differences
 * of that table, lose relative accuracy there. All agree within 1e-6.
 *
 * <p>Sources: {@code distribution_elementwise_grid_stride_kernel} in PyTorch's {@code DistributionTemplates.h};
 * {@code _curand_box_muller} and {@code curand_normal4} in cuRAND's {@code curand_normal.h}.
 */
public final class CudaNoise implements NoiseStream {

    private static final float UNIT = 0x1p-32f;
    private static final float HALF_UNIT = UNIT / 2;
    /** 2^-32 * 2 pi, rounded as cuRAND's constant. */
    private static final float ANGLE = 2.3283064e-10f * 6.2831855f;

    private static final float HALF_ANGLE = ANGLE / 2;
    private static final float PER_TURN = 0.15915494f;

    private final long seed;
    private final CudaGrid grid;
    private long counter;

    /**
     * A stream that starts in the middle, as for a resumed run.
     *
     * @param counter Philox counter of the next call: a generator's offset in PyTorch, divided by four
     */
    public CudaNoise(long seed, long counter, CudaGrid grid) {
        this.seed = seed;
        this.counter = counter;
        this.grid = grid;
    }

    /** Philox counter of the next call, 0 after seeding; a call of up to four times the grid's threads adds 1. */
    public long counter() {
        return counter;
    }

    /** The generator's seed. */
    public long seed() {
        return seed;
    }

    /** The launch geometry that the stream is spread over. */
    public CudaGrid grid() {
        return grid;
    }

    @Override
    public float[] next(int n, int from, int to) {
        NoiseStream.requireRange(n, from, to);
        float[] normals = new float[to - from];
        int[] words = new int[4];
        for (int i = 0; i < normals.length; i++) {
            normals[i] = at(seed, counter, from + i, n, grid, words);
        }
        counter += grid.counters(n);
        return normals;
    }

    @Override
    public void skip(int n) {
        NoiseStream.requireRange(n, 0, 0);
        counter += grid.counters(n);
    }

    /**
     * One element of one call, out of order.
     *
     * @param counter where the call starts; call k of a stream whose calls each use one counter starts at k
     * @param element index in row-major order, below {@code n}
     * @param n elements of the call
     */
    public static float at(long seed, long counter, long element, long n, CudaGrid grid) {
        return at(seed, counter, element, n, grid, new int[4]);
    }

    private static float at(long seed, long counter, long element, long n, CudaGrid grid, int[] words) {
        long threads = grid.threads(n);
        long pass = element / threads;
        Philox4x32.block(seed, counter + pass / CudaGrid.UNROLL, element % threads, words);
        int output = (int) (pass % CudaGrid.UNROLL);
        int pair = output & 2;
        return normal(words[pair], words[pair + 1], (output & 1) == 0);
    }

    /**
     * One of the two normals that Box and Muller make of two words.
     *
     * @param radiusWord uniform for the radius, {@code sqrt(-2 ln u)}
     * @param angleWord uniform for the angle
     * @param sine whether the first output, radius * sin(angle), is wanted; the second has the cosine
     */
    static float normal(int radiusWord, int angleWord, boolean sine) {
        float u = Math.fma(toFloat(radiusWord), UNIT, HALF_UNIT);
        float angle = Math.fma(toFloat(angleWord), ANGLE, HALF_ANGLE);
        float radius = (float) Math.sqrt(-2f * (float) Math.log(u));
        double radians = 2 * Math.PI * towardsZero((double) angle * PER_TURN);
        return radius * (float) (sine ? Math.sin(radians) : Math.cos(radians));
    }

    /** The word as an unsigned number, rounded to nearest. */
    private static float toFloat(int word) {
        return (float) Integer.toUnsignedLong(word);
    }

    private static float towardsZero(double positive) {
        float nearest = (float) positive;
        return nearest > positive ? Math.nextDown(nearest) : nearest;
    }
}
