package org.tornadodit.model.noise;

/**
 * The Mersenne Twister with 32-bit words of Matsumoto and Nishimura (ACM TOMACS 8, 1998), seeded by one word as in their
 * program of 2002, which is what PyTorch's CPU generator and {@code std::mt19937} are.
 */
final class Mt19937 {

    private static final int SIZE = 624;
    private static final int SHIFT = 397;
    private static final int MATRIX = 0x9908B0DF;
    private static final int UPPER = 0x80000000;

    private final int[] state = new int[SIZE];
    private int index = SIZE;

    Mt19937(int seed) {
        state[0] = seed;
        for (int i = 1; i < SIZE; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
        }
    }

    /** A generator that goes on as {@code other} will. */
    Mt19937(Mt19937 other) {
        System.arraycopy(other.state, 0, state, 0, SIZE);
        index = other.index;
    }

    /** The next 32 random bits. */
    int next() {
        if (index == SIZE) {
            twist();
        }
        int word = state[index++];
        word ^= word >>> 11;
        word ^= (word << 7) & 0x9D2C5680;
        word ^= (word << 15) & 0xEFC60000;
        return word ^ (word >>> 18);
    }

    private void twist() {
        for (int i = 0; i < SIZE; i++) {
            int joined = (state[i] & UPPER) | (state[(i + 1) % SIZE] & ~UPPER);
            state[i] = state[(i + SHIFT) % SIZE] ^ (joined >>> 1) ^ ((joined & 1) == 0 ? 0 : MATRIX);
        }
        index = 0;
    }
}
