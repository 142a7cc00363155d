package org.tornadodit.ptx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Values under keys, a file each, that several processes read and write at once. A value comes back whole and under its
 * own key or not at all: what a file holds besides its digest is checked against it. Nothing here fails: a file that is of
 * no use is as good as none, and what cannot be written is not kept.
 */
final class KernelFolder {

    /** First bytes of a file. Another version of this layout has another number. */
    private static final byte[] FORMAT = "tornado-dit kernel 1\n".getBytes(StandardCharsets.US_ASCII);

    private static final String ANY_FORMAT = "tornado-dit kernel ";
    private static final String SUFFIX = ".kernel";
    private static final String PART_SUFFIX = ".part";
    private static final int DIGEST_BYTES = 32;
    private static final int HEADER_BYTES = FORMAT.length + DIGEST_BYTES + 2 * Integer.BYTES;
    private static final int LARGEST = 64 << 20;

    /** A part that is older belongs to a process that was killed. */
    private static final Duration LONGEST_WRITE = Duration.ofHours(1);

    /** How exactly it is known when an entry was of use. */
    private static final Duration USE = Duration.ofHours(1);

    private final Path folder;
    private final long mostBytes;
    private final Consumer<String> notice;
    private final ExecutorService writer;
    private final AtomicBoolean saidIgnored = new AtomicBoolean();
    private final AtomicBoolean writes = new AtomicBoolean(true);

    /**
     * @param folder need not exist
     * @param mostBytes of all files; see {@link #prune}
     * @param notice takes one line on files that are of no use, and one when nothing can be written
     */
    KernelFolder(Path folder, long mostBytes, Consumer<String> notice) {
        this.folder = folder;
        this.mostBytes = mostBytes;
        this.notice = notice;
        ThreadPoolExecutor one = new ThreadPoolExecutor(
                1,
                1,
                5, // seconds that an idle thread stays
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                task -> Thread.ofPlatform().daemon().name("keep-kernels").unstarted(task));
        one.allowCoreThreadTimeOut(true);
        writer = one;
    }

    /** What was stored last under a key. */
    Optional<byte[]> load(String key) {
        Path file = file(key);
        try {
            if (isAnotherThing(file)) { // to read a pipe or a device might never end
                return ignored(file, "is no file");
            }
            long size = Files.size(file);
            if (size > LARGEST) {
                return ignored(file, "is larger than any kernel");
            }
            byte[] bytes = Files.readAllBytes(file);
            String problem = problem(bytes, key);
            if (!problem.isEmpty()) {
                return ignored(file, problem);
            }
            noteUse(file);
            ByteBuffer content = ByteBuffer.wrap(bytes).position(HEADER_BYTES + keyBytes(key).length);
            byte[] value = new byte[content.remaining()];
            content.get(value);
            return Optional.of(value);
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (IOException e) {
            return ignored(file, "cannot be read (" + e.getClass().getSimpleName() + ")");
        }
    }

    private static boolean isAnotherThing(Path file) {
        return Files.exists(file) && !Files.isRegularFile(file);
    }

    /** For a value that was whole, and made no sense. */
    Optional<byte[]> ignored(String key, String reason) {
        return ignored(file(key), reason);
    }

    private Optional<byte[]> ignored(Path file, String reason) {
        if (!saidIgnored.getAndSet(true)) {
            notice.accept("ignored " + file + ": it " + reason);
        }
        return Optional.empty();
    }

    /** What is wrong with a file's bytes; empty when they are the value of this key. */
    private static String problem(byte[] bytes, String key) {
        if (bytes.length < FORMAT.length || !Arrays.equals(FORMAT, 0, FORMAT.length, bytes, 0, FORMAT.length)) {
            return startsWith(bytes, ANY_FORMAT) ? "has another format than this version's" : "is not a kept kernel";
        }
        if (bytes.length < HEADER_BYTES) {
            return "is cut off";
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).position(FORMAT.length);
        byte[] digest = new byte[DIGEST_BYTES];
        in.get(digest);
        int inDigest = in.position();
        int keyLength = in.getInt();
        int valueLength = in.getInt();
        if (keyLength < 0 || valueLength < 0 || HEADER_BYTES + (long) keyLength + valueLength != bytes.length) {
            return bytes.length < HEADER_BYTES + (long) keyLength + valueLength ? "is cut off" : "is damaged";
        }
        if (!Arrays.equals(digest, digest(bytes, inDigest))) {
            return "is damaged";
        }
        byte[] wanted = keyBytes(key);
        boolean same = keyLength == wanted.length
                && Arrays.equals(bytes, HEADER_BYTES, HEADER_BYTES + keyLength, wanted, 0, keyLength);
        return same ? "" : "is for another kernel";
    }

    private static boolean startsWith(byte[] bytes, String text) {
        byte[] wanted = text.getBytes(StandardCharsets.US_ASCII);
        return bytes.length >= wanted.length && Arrays.equals(bytes, 0, wanted.length, wanted, 0, wanted.length);
    }

    /** Keeps a value, in place of what was there. */
    void store(String key, byte[] value) {
        if (!writes.get()) {
            return;
        }
        byte[] keyBytes = keyBytes(key);
        ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES + keyBytes.length + value.length);
        bytes.put(FORMAT)
                .position(FORMAT.length + DIGEST_BYTES)
                .putInt(keyBytes.length)
                .putInt(value.length)
                .put(keyBytes)
                .put(value);
        bytes.put(FORMAT.length, digest(bytes.array(), FORMAT.length + DIGEST_BYTES));
        Path file = file(key);
        if (isAnotherThing(file)) { // which load has told of; the others can still be kept
            return;
        }
        Path part = file.resolveSibling(file.getFileName() + "."
                + ProcessHandle.current().pid() + "-" + Thread.currentThread().threadId() + PART_SUFFIX);
        try {
            Files.createDirectories(folder);
            try {
                Files.write(part, bytes.array());
                move(part, file);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException | SecurityException e) {
            if (writes.getAndSet(false)) {
                notice.accept("compiled kernels are not kept in " + folder + ": " + reason(e));
            }
        }
    }

    /** As {@link #store}, beside the caller: a disk that is busy with other programs' gigabytes holds up nobody who computes. */
    void storeLater(String key, Supplier<byte[]> value) {
        writer.execute(() -> store(key, value.get()));
    }

    /** As {@link #prune}, after what was to be stored. */
    void pruneLater() {
        writer.execute(this::prune);
    }

    /** Waits until what was to be stored is, so long at most; whether it is. */
    boolean awaitStored(Duration most) {
        try {
            writer.submit(() -> {}).get(most.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException | ExecutionException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static void move(Path part, Path file) throws IOException {
        try {
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static String reason(Exception e) {
        String message = e.getMessage();
        String type = e.getClass().getSimpleName();
        return message == null
                ? type
                : type + ": " + message.lines().findFirst().orElse("");
    }

    /** Removes what was not of use for the longest time, until the folder is no larger than it may be. */
    void prune() {
        record Entry(Path file, long size, FileTime used) {}
        List<Entry> entries = new ArrayList<>();
        long total = 0;
        Instant now = Instant.now();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = String.valueOf(file.getFileName());
                FileTime used = Files.getLastModifiedTime(file);
                if (name.endsWith(SUFFIX)) {
                    entries.add(new Entry(file, Files.size(file), used));
                    total += entries.getLast().size();
                } else if (name.endsWith(PART_SUFFIX) && used.toInstant().isBefore(now.minus(LONGEST_WRITE))) {
                    Files.deleteIfExists(file);
                }
            }
            entries.sort(Comparator.comparing(Entry::used));
            for (Entry entry : entries) {
                if (total <= mostBytes) {
                    break;
                }
                Files.deleteIfExists(entry.file());
                total -= entry.size();
            }
        } catch (IOException | RuntimeException e) { // other processes remove files too: the next one prunes again
            System.getLogger("dit").log(System.Logger.Level.DEBUG, "kept kernels were not pruned", e);
        }
    }

    private static void noteUse(Path file) {
        try {
            Instant now = Instant.now();
            if (Files.getLastModifiedTime(file).toInstant().isBefore(now.minus(USE))) {
                Files.setLastModifiedTime(file, FileTime.from(now));
            }
        } catch (IOException e) { // of another user, or on a disk that cannot be written
            System.getLogger("dit").log(System.Logger.Level.DEBUG, "the use of a kept kernel was not noted", e);
        }
    }

    private Path file(String key) {
        byte[] keyBytes = keyBytes(key);
        return folder.resolve(HexFormat.of().formatHex(digest(keyBytes, 0), 0, 16) + SUFFIX);
    }

    private static byte[] keyBytes(String key) {
        return key.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] digest(byte[] bytes, int from) {
        MessageDigest digest = sha256();
        digest.update(bytes, from, bytes.length - from);
        return digest.digest();
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
