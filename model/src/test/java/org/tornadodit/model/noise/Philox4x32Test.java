package org.tornadodit.model.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.math.BigInteger;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class Philox4x32Test {

    private static final BigInteger WORD = BigInteger.ONE.shiftLeft(32);

    /** The known answers that Random123 publishes for philox4x32-10. */
    @Test
    void givesRandom123sKnownAnswers() {
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, block(0, 0, 0));
        assertArrayEquals(new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, block(-1, -1, -1));
        assertArrayEquals(
                new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
                block(0x299f31d0a4093822L, 0x85a308d3243f6a88L, 0x0370734413198a2eL));
    }

    /** The paper's rounds in arbitrary precision, with every sign bit at work. */
    @Test
    void agreesWithTheDefinitionInBigIntegers() {
        long seed = 20261122;
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        for (int i = 0; i < 500; i++) {
            long key = random.nextLong();
            long low = random.nextLong();
            long high = random.nextLong();
            assertArrayEquals(definition(key, low, high), block(key, low, high), "seed " + seed + ", block " + i);
        }
    }

    private static int[] block(long key, long low, long high) {
        int[] words = new int[4];
        Philox4x32.block(key, low, high, words);
        return words;
    }

    private static int[] definition(long key, long low, long high) {
        BigInteger[] c = {word(low), word(low >>> 32), word(high), word(high >>> 32)};
        BigInteger k0 = word(key);
        BigInteger k1 = word(key >>> 32);
        for (int round = 0; round < 10; round++) {
            BigInteger[] first = new BigInteger("D2511F53", 16).multiply(c[0]).divideAndRemainder(WORD);
            BigInteger[] second = new BigInteger("CD9E8D57", 16).multiply(c[2]).divideAndRemainder(WORD);
            c = new BigInteger[] {
                second[0].xor(c[1]).xor(k0), second[1], first[0].xor(c[3]).xor(k1), first[1]
            };
            k0 = k0.add(new BigInteger("9E3779B9", 16)).mod(WORD);
            k1 = k1.add(new BigInteger("BB67AE85", 16)).mod(WORD);
        }
        return new int[] {c[0].intValue(), c[1].intValue(), c[2].intValue(), c[3].intValue()};
    }

    private static BigInteger word(long bits) {
        return BigInteger.valueOf(bits & 0xFFFFFFFFL);
    }
}
