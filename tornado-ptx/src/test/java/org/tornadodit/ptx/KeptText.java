package org.tornadodit.ptx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A kernel as a run has kept it ({@link KernelFolder}).
 *
 * @param capability of the device that it is for, as 80
 * @param kernel class and method
 */
record KeptText(int capability, String kernel, KernelText text) {
    private static final Pattern CAPABILITY = Pattern.compile(", capability (\\d+)\\.(\\d+),");
    private static final Pattern CLASSES = Pattern.compile("classes (\\w+)");
    /** Format's line, digest. */
    private static final int HEADER = "tornado-dit kernel 1\n".length() + 32;

    private record Entry(String classes, FileTime time, KeptText kept) {}

    /** A folder's kernels of the build that wrote the last one. */
    static List<KeptText> all(Path folder) throws IOException {
        List<Entry> entries = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".kernel")).sorted().toList()) {
                ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).position(HEADER);
                byte[] keyBytes = new byte[bytes.getInt()];
                byte[] value = new byte[bytes.getInt()];
                bytes.get(keyBytes).get(value);
                String key = new String(keyBytes, StandardCharsets.UTF_8);
                Matcher capability = CAPABILITY.matcher(key);
                Matcher classes = CLASSES.matcher(key);
                if (capability.find() && classes.find()) {
                    KernelText text = KernelText.read(value);
                    int number = Integer.parseInt(capability.group(1)) * 10 + Integer.parseInt(capability.group(2));
                    entries.add(new Entry(
                            classes.group(1),
                            Files.getLastModifiedTime(file),
                            new KeptText(number, text.entry(), text)));
                }
            }
        }
        String last = entries.stream()
                .max(Comparator.comparing(Entry::time))
                .map(Entry::classes)
                .orElse("");
        return entries.stream()
                .filter(entry -> entry.classes.equals(last))
                .map(Entry::kept)
                .toList();
    }
}
