package org.tornadodit.model.dit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.JsonConfig;
import org.tornadodit.model.io.file.MappedFile;

/**
 * The names of a model's classes, where they are known.
 *
 * @param names name of class i at index i; empty when classes are known by number only
 * @param synonyms other names of class i at index i; empty when there are none
 * @param favourites the classes sampled when the user names none
 */
public record ClassNames(List<String> names, List<List<String>> synonyms, List<Integer> favourites) {

    /** facebookresearch/DiT's own eight of ImageNet: golden retriever, otter, red panda, geyser, macaw, valley, ... */
    private static final List<Integer> IMAGENET_FAVOURITES = List.of(207, 360, 387, 974, 88, 979, 417, 279);

    /** What a file with a model's names is called. */
    public static final String FILE = "labels.json";

    /** Of so few classes, a message lists them all. */
    private static final int FEW = 12;

    private static final int NEAREST = 5;

    /** Bytes: 200 for each of ImageNet's 21841 classes. */
    private static final int LARGEST_FILE = 4 << 20;

    /** Characters of a text that names are compared with. */
    private static final int LONGEST = 100;

    public ClassNames {
        names = List.copyOf(names);
        synonyms = List.copyOf(synonyms);
        favourites = List.copyOf(favourites);
    }

    public ClassNames(List<String> names, List<Integer> favourites) {
        this(names, List.of(), favourites);
    }

    /** The 1000 classes of ILSVRC 2012 in their usual order, that of WordNet's identifiers. */
    public static ClassNames imageNet() {
        return ImageNet.CLASSES;
    }

    /** Read when it is asked for. */
    private static final class ImageNet {
        static final ClassNames CLASSES = read();

        private static ClassNames read() {
            List<String> names = new ArrayList<>();
            List<List<String>> synonyms = new ArrayList<>();
            try (InputStream in =
                    Objects.requireNonNull(ClassNames.class.getResourceAsStream("imagenet-classes.txt"))) {
                for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n", -1)) {
                    if (!line.isEmpty()) {
                        List<String> all =
                                List.of(line.substring(line.indexOf('\t') + 1).split(", "));
                        names.add(all.getFirst());
                        synonyms.add(all.subList(1, all.size()));
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return new ClassNames(names, synonyms, IMAGENET_FAVOURITES);
        }
    }

    /** The reference's labels as far as a model of another number of classes has them. */
    public static ClassNames numbered(int numClasses) {
        if (numClasses == 1000) {
            return imageNet();
        }
        List<Integer> first = new ArrayList<>();
        for (int i = 0; i < Math.min(8, numClasses); i++) {
            first.add(i);
        }
        return new ClassNames(List.of(), first);
    }

    /**
     * Reads {@code {"names": [...], "favourites": [...]}}.
     *
     * @throws CheckpointException when the file is missing, larger than 4 MiB, or something else
     */
    public static ClassNames read(Path file) {
        return parse(file, MappedFile.read(file, LARGEST_FILE));
    }

    /**
     * The names that weights bring: those of a {@code labels.json} beside them, else those of {@link #numbered}.
     *
     * @param checkpoint the weights' file or folder
     * @throws CheckpointException when the file is none that {@link #read} takes, or of a model with more classes
     */
    public static ClassNames ofWeights(Path checkpoint, int numClasses) {
        Path file = fileBeside(checkpoint);
        if (!Files.isRegularFile(file)) {
            return numbered(numClasses);
        }
        ClassNames beside = read(file);
        if (beside.names.size() > numClasses) {
            throw new CheckpointException("%s: %d names, the model beside it has %d classes"
                    .formatted(Printable.path(file), beside.names.size(), numClasses));
        }
        if (beside.favourites.stream().anyMatch(label -> label >= numClasses)) {
            throw new CheckpointException("%s: favourites %s, the model beside it has classes 0 to %d"
                    .formatted(Printable.path(file), beside.favourites, numClasses - 1));
        }
        return beside;
    }

    /** Where the names of the classes of such weights would be: in their folder. */
    public static Path fileBeside(Path checkpoint) {
        return Files.isDirectory(checkpoint)
                ? checkpoint.resolve(FILE)
                : checkpoint.toAbsolutePath().resolveSibling(FILE);
    }

    /** A file's content, or what {@link #read} throws. */
    static ClassNames parse(Path file, byte[] content) {
        JsonConfig json = JsonConfig.parse(file, content);
        List<String> names = json.texts("names");
        List<Integer> favourites = json.integers("favourites");
        if (favourites.stream().anyMatch(label -> label < 0 || (!names.isEmpty() && label >= names.size()))) {
            throw json.refuse("favourites", "labels of the " + names.size() + " names");
        }
        return new ClassNames(names, favourites);
    }

    /**
     * The class that a user names by number or name (any case; {@code -} and {@code _} for spaces).
     *
     * @throws IllegalArgumentException when there is no such class, with the nearest names
     */
    public int parse(String text, int numClasses) {
        return parse(text, numClasses, "./dit classes");
    }

    /**
     * As above.
     *
     * @param list which whoever reads a message can look all classes up in
     */
    public int parse(String text, int numClasses, String list) {
        String name = folded(text);
        String shown = Printable.text(text.strip(), LONGEST);
        List<Integer> named = classes(own -> own.equals(name), false);
        if (named.isEmpty()) {
            named = classes(own -> own.equals(name), true);
        }
        if (named.size() > 1) {
            throw new IllegalArgumentException("\"%s\" is a name of %d classes, %s; give one of the numbers"
                    .formatted(shown, named.size(), inWords(named)));
        }
        if (named.size() == 1) {
            return named.getFirst();
        }
        int label;
        try {
            label = Integer.parseInt(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    names.isEmpty()
                            ? "class label \"%s\" is not a number; this model's classes have no names here"
                                    .formatted(shown)
                            : "no class is named \"%s\"; %s".formatted(shown, suggestion(text, list)),
                    e);
        }
        if (label < 0 || label >= numClasses) {
            throw new IllegalArgumentException(
                    "class label %d is out of range, the model has classes 0 to %d".formatted(label, numClasses - 1));
        }
        return label;
    }

    /** What to say where a name is none: few classes all, of many those nearest to it. */
    public String suggestion(String text, String list) {
        if (names.size() <= FEW) {
            return "the model knows: " + String.join(", ", names);
        }
        return "nearest are " + inWords(nearest(text)) + "; " + list + " lists all";
    }

    /** Classes one of whose names has this text in it, any case; all for an empty text. */
    public List<Integer> containing(String text) {
        String part = folded(text);
        return classes(own -> own.contains(part), true);
    }

    /** A few classes whose names are most like a text: names that share words with it, then those a few letters off. */
    private List<Integer> nearest(String text) {
        String wanted = folded(text);
        return IntStream.range(0, names.size())
                .boxed()
                .sorted(Comparator.comparingDouble(label -> all(label)
                        .map(ClassNames::folded)
                        .mapToDouble(own -> distance(wanted, own))
                        .min()
                        .orElseThrow()))
                .limit(NEAREST)
                .toList();
    }

    /** Letters to change, remove or insert (V. Levenshtein, 1966), as a share of the longer; less where a word is the same. */
    private static double distance(String wanted, String own) {
        int longest = Math.max(1, Math.max(wanted.length(), own.length()));
        double share = (double) edits(wanted, own) / longest;
        boolean sharesWord = List.of(wanted.split(" ")).stream()
                .anyMatch(word -> word.length() > 2 && List.of(own.split(" ")).contains(word));
        return sharesWord ? share / 2 : share;
    }

    private static int edits(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }

    /** Names and numbers, as {@code fox (4), panda (6)}. */
    private String inWords(List<Integer> labels) {
        return labels.stream()
                .map(label -> "%s (%d)".formatted(names.get(label), label))
                .collect(Collectors.joining(", "));
    }

    private List<Integer> classes(Predicate<String> wanted, boolean withSynonyms) {
        return IntStream.range(0, names.size())
                .filter(label -> (withSynonyms ? all(label) : Stream.of(names.get(label)))
                        .map(ClassNames::folded)
                        .anyMatch(wanted))
                .boxed()
                .toList();
    }

    /** All names of a class that has any, the usual one first. */
    public List<String> allNames(int label) {
        return all(label).toList();
    }

    private Stream<String> all(int label) {
        return Stream.concat(
                Stream.of(names.get(label)), label < synonyms.size() ? synonyms.get(label).stream() : Stream.empty());
    }

    /** Case, hyphens and apostrophes are no part of a name; of a user's text no more than names have is compared. */
    private static String folded(String name) {
        String text = name.strip();
        return text.substring(0, Math.min(text.length(), LONGEST))
                .toLowerCase(Locale.ROOT)
                .replace('_', ' ')
                .replace('-', ' ')
                .replace("'", "");
    }

    /**
     * Labels drawn from all classes, each as likely as the others: the same for a seed at any time, for
     * {@link java.util.Random} is specified to the bit.
     */
    public static List<Integer> random(int count, int numClasses, long seed) {
        return new Random(seed).ints(count, 0, numClasses).boxed().toList();
    }

    /** Labels spread evenly over all classes, in ascending order: {@code floor(i numClasses / count)}. */
    public static List<Integer> uniform(int count, int numClasses) {
        return IntStream.range(0, count)
                .mapToObj(i -> (int) ((long) i * numClasses / count))
                .toList();
    }

    /** The name of a class, or its number. */
    public String name(int label) {
        return label < names.size() ? names.get(label) : String.valueOf(label);
    }
}
