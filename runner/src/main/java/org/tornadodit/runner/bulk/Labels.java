package org.tornadodit.runner.bulk;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.tornadodit.model.Printable;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.io.file.Sha256;
import org.tornadodit.runner.option.ModelSource;

/**
 * The class of each picture.
 *
 * @param rule as the manifest tells it: {@code random}, {@code uniform} or {@code file}
 * @param each by a picture's number; not copied
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Labels(String rule, int[] each) {
    static final String RANDOM = "random";
    static final String UNIFORM = "uniform";
    static final String FILE = "file";

    private static final long LARGEST_FILE = 64L << 20;

    /** Drawn by each picture's own seed: the numbers do not depend on how many there are. */
    static Labels random(int count, int numClasses, long seed) {
        int[] each = new int[count];
        for (int number = 0; number < count; number++) {
            each[number] = (int) Math.multiplyHigh(mixed(PictureSeed.of(seed, number)) >>> 1, 2L * numClasses);
        }
        return new Labels(RANDOM, each);
    }

    /** SplitMix64's output: neighbours among seeds have nothing in common. Source: Steele, Lea and Flood, OOPSLA 2014. */
    private static long mixed(long seed) {
        long word = seed + 0x9E3779B97F4A7C15L;
        word = (word ^ word >>> 30) * 0xBF58476D1CE4E5B9L;
        word = (word ^ word >>> 27) * 0x94D049BB133111EBL;
        return word ^ word >>> 31;
    }

    /** One class after the other, over and over. */
    static Labels uniform(int count, int numClasses) {
        int[] each = new int[count];
        for (int number = 0; number < count; number++) {
            each[number] = number % numClasses;
        }
        return new Labels(UNIFORM, each);
    }

    /**
     * Reads a file with a class a line, by number or name.
     *
     * @param most lines that are wanted
     * @throws IllegalArgumentException when a line names no class
     */
    static Labels read(Path file, int most, ClassNames classes, int numClasses) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException(
                    "--labels is \"%s\", expected random, uniform or a file with a class a line"
                            .formatted(Printable.path(file)));
        }
        if (Files.size(file) > LARGEST_FILE) {
            throw new IllegalArgumentException("--labels %s has %d bytes, expected a class a line"
                    .formatted(Printable.path(file), Files.size(file)));
        }
        List<Integer> labels = new ArrayList<>();
        String list = ModelSource.listOf(classes);
        for (String line : new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                .strip()
                .split("\\R", -1)) {
            if (labels.size() == most) {
                break;
            }
            try {
                labels.add(classes.parse(line, numClasses, list));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "--labels %s, line %d: %s".formatted(Printable.path(file), labels.size() + 1, e.getMessage()),
                        e);
            }
        }
        return new Labels(FILE, labels.stream().mapToInt(Integer::intValue).toArray());
    }

    /** SHA-256 of the labels, a number a line. */
    static String sha256(int[] labels) {
        MessageDigest digest = Sha256.digest();
        for (int label : labels) {
            digest.update((label + "\n").getBytes(StandardCharsets.US_ASCII));
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
