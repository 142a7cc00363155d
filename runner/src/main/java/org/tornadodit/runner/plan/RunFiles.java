package org.tornadodit.runner.plan;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.StateFile;
import org.tornadodit.model.metrics.PictureFormat;
import org.tornadodit.runner.output.ImageGrid;
import org.tornadodit.runner.output.OutputFile;
import org.tornadodit.runner.output.PictureOutput;
import org.tornadodit.runner.output.PreviewFile;

/**
 * The files that a run writes.
 *
 * @param output of the pictures
 * @param format of the pictures
 * @param saveLatents null where latents are not kept
 * @param batches of the run
 * @param perRow pictures in a row of a grid
 */
public record RunFiles(
        PictureOutput output,
        PictureFormat format,
        @Nullable Path saveLatents,
        int batches,
        int perRow) {

    private static final Pattern NUMBERED = Pattern.compile("([0-9]{1,18})_.*");

    /** Batches, each of whose names is tried out; of more, which takes long, the first and the last. */
    private static final int ALL_TRIED = 1000;

    /** A name of a class is no reason to exceed what file systems take. */
    private static final int LONGEST_CLASS = 60;

    /** Of what measures and writes no pictures. */
    public static RunFiles none() {
        return new RunFiles(
                new PictureOutput(Path.of("none"), false), PictureFormat.PNG, null, 1, ImageGrid.IMAGES_PER_ROW);
    }

    /**
     * The pictures of a batch: the grid alone, or in a folder one after the other.
     *
     * @param classes of a batch's samples, by name or number
     */
    public List<Path> pictures(int batch, List<String> classes) {
        if (!output.folder()) {
            return List.of(numbered(output.path(), batch));
        }
        return IntStream.range(0, classes.size())
                .mapToObj(i -> output.path().resolve(name((long) batch * classes.size() + i, classes)))
                .toList();
    }

    /** 3_fox.png; numbers have the digits of the last, so that listings have the pictures in order. */
    private String name(long picture, List<String> classes) {
        int digits = String.valueOf((long) batches * classes.size() - 1).length();
        String label = classes.get((int) (picture % classes.size()))
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N}]+", "-");
        String number = String.valueOf(picture);
        return "0".repeat(digits - number.length()) + number + "_"
                + label.substring(0, Math.min(label.length(), LONGEST_CLASS)) + format.suffix();
    }

    /** Where a batch's grid is while it is being made: a PNG, whatever the pictures are. */
    public Path preview(int batch) {
        if (output.folder()) {
            return numbered(output.path().resolve("preview.png"), batch);
        }
        Path file = numbered(output.path(), batch);
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return file.resolveSibling(dot <= 0 ? name + ".preview" : name.substring(0, dot) + ".preview.png");
    }

    /** A batch's latents; null where they are not kept. */
    @Nullable
    public Path latents(int batch) {
        return saveLatents == null ? null : numbered(saveLatents, batch);
    }

    /** The run's state: {@code sample.state.safetensors} of {@code sample.png}. */
    public Path state() {
        if (output.folder()) {
            return output.path().resolve("state.safetensors");
        }
        String name = output.path().getFileName().toString();
        int dot = name.lastIndexOf('.');
        return output.path().resolveSibling((dot <= 0 ? name : name.substring(0, dot)) + ".state.safetensors");
    }

    /**
     * Passes where there is nothing yet, or a state.
     *
     * @throws IOException when another file has the name
     */
    static void requireState(Path file) throws IOException {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !StateFile.isState(file)) {
            throw new IOException("cannot write the state to " + Printable.path(file)
                    + ": a file of that name is there, and is no state of a run; give another --output");
        }
    }

    /** What a dry run says. */
    String inWords(List<String> classes) {
        if (!output.folder()) {
            return output.toString();
        }
        Path first = pictures(0, classes).getFirst();
        Path last = pictures(batches - 1, classes).getLast();
        return first.equals(last) ? first.toString() : "%s to %s".formatted(first, last.getFileName());
    }

    /** sample.png, or sample_3.png where there are several batches. */
    private Path numbered(Path file, int batch) {
        if (batches == 1) {
            return file;
        }
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return file.resolveSibling(
                dot <= 0 ? name + "_" + batch : name.substring(0, dot) + "_" + batch + name.substring(dot));
    }

    /** Makes the folder, where there is to be one. */
    public void begin() throws IOException {
        if (output.folder() && !Files.isDirectory(output.path())) {
            Files.createDirectory(output.path());
        }
    }

    /**
     * Refuses early what would fail only after minutes of sampling.
     *
     * @param classes of a batch's samples
     * @param previews whether there are any
     * @param states whether the run's state is kept
     * @param inputs that the run reads; nothing that it writes may be one of them
     * @param resumed the state that it goes on from, which its new state may replace
     */
    public void requireWritable(
            List<String> classes, boolean previews, boolean states, Collection<Path> inputs, @Nullable Path resumed)
            throws IOException {
        format.requireWritable();
        List<Path> read = new ArrayList<>(inputs);
        if (resumed != null) {
            read.add(resumed);
        }
        boolean present = !output.folder() || requireFolder();
        if (output.folder() && present) {
            for (Path old : olderPictures(classes)) {
                requireFile(old, read);
            }
        }
        Set<Path> files = new LinkedHashSet<>();
        for (int batch = 0; batch < batches; batch++) {
            boolean end = batch == 0 || batch == batches - 1;
            List<Path> beside = new ArrayList<>();
            if (!output.folder() && !OutputFile.isStdout(output.path())) {
                beside.addAll(pictures(batch, classes));
            } else if (output.folder() && present && end) {
                requireFile(pictures(batch, classes).getLast(), read);
            }
            Path latents = latents(batch);
            if (latents != null && (present || !isInFolder(latents))) {
                beside.add(latents);
            }
            if (previews && present) {
                beside.add(preview(batch));
                PreviewFile.require(preview(batch));
            }
            for (Path file : beside) {
                // The last one's name is the longest; what is already there may be a folder, a link or an input.
                if (batches <= ALL_TRIED || end || Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                    requireFile(file, read);
                }
                requireOther(files, file);
            }
        }
        if (states && present) {
            Path state = state();
            requireFile(state, inputs);
            requireState(state);
            requireOther(files, state);
        }
    }

    /** Whether the folder is there; where it is not, it can be made. */
    private boolean requireFolder() throws IOException {
        Path folder = output.path().toAbsolutePath().normalize();
        if (Files.isDirectory(folder)) {
            return true;
        }
        String name = Printable.path(output.path());
        if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException("cannot write into " + name + "/: it is no folder");
        }
        Path parent = folder.getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw new IOException("cannot make the folder %s: there is no folder %s; create it first"
                    .formatted(name, parent == null ? "above it" : Printable.path(parent)));
        }
        if (!Files.isWritable(parent)) {
            throw new IOException("cannot make the folder %s: %s is read-only".formatted(name, Printable.path(parent)));
        }
        return false;
    }

    private boolean isInFolder(Path file) {
        Path folder = output.path().toAbsolutePath().normalize();
        return folder.equals(file.toAbsolutePath().normalize().getParent());
    }

    /** What is in the folder under a name that this run gives. */
    private List<Path> olderPictures(List<String> classes) throws IOException {
        try (Stream<Path> all = Files.list(output.path())) {
            return all.filter(file -> isOurs(file.getFileName().toString(), classes))
                    .toList();
        }
    }

    private boolean isOurs(String name, List<String> classes) {
        Matcher numbered = NUMBERED.matcher(name);
        if (!numbered.matches()) {
            return false;
        }
        long picture = Long.parseLong(numbered.group(1));
        return picture < (long) batches * classes.size() && name.equals(name(picture, classes));
    }

    private static void requireFile(Path file, Collection<Path> inputs) throws IOException {
        OutputFile.requireWritable(file);
        OutputFile.requireNoInput(file, inputs);
    }

    private static void requireOther(Set<Path> files, Path file) throws IOException {
        boolean stream = Files.exists(file) && !Files.isRegularFile(file);
        if (!files.add(file.toAbsolutePath().normalize()) && !stream) {
            throw new IOException("two outputs have the same name, " + Printable.path(file));
        }
    }
}
