package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels that are kept come back whole or not at all, whatever happens to their files. */
class KernelFolderTest {

    private static final String KEY = "a kernel\nint 5\n";
    private static final byte[] VALUE = "its PTX".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path temp;

    private final List<String> notices = new ArrayList<>();

    private KernelFolder folder() {
        return new KernelFolder(temp.resolve("new/kernels"), 1 << 20, notices::add);
    }

    private Path onlyFile() throws IOException {
        try (Stream<Path> files = Files.list(temp.resolve("new/kernels"))) {
            List<Path> all = files.toList();
            assertEquals(1, all.size(), all.toString());
            return all.getFirst();
        }
    }

    private void assertIgnored(String reason) throws IOException {
        Path file = onlyFile();
        assertEquals(Optional.empty(), folder().load(KEY));
        assertEquals(List.of("ignored " + file + ": it " + reason), notices);
    }

    @Test
    void whatIsStoredIsLoaded() throws IOException {
        assertEquals(Optional.empty(), folder().load(KEY));
        folder().store(KEY, VALUE);
        assertArrayEquals(VALUE, folder().load(KEY).orElseThrow());
        assertEquals(Optional.empty(), folder().load(KEY + "int 6\n"));
        folder().store(KEY, new byte[0]);
        assertEquals(0, folder().load(KEY).orElseThrow().length);
        onlyFile();
        assertEquals(List.of(), notices);
    }

    /** A disk that is busy with other programs' files must not hold up the run that has compiled the kernel. */
    @Test
    void whoHasAKernelDoesNotWaitForTheDisk() throws Exception {
        KernelFolder folder = folder();
        CountDownLatch busy = new CountDownLatch(1);
        AtomicBoolean stopped = new AtomicBoolean();
        folder.storeLater(KEY, () -> {
            try {
                stopped.set(!busy.await(60, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                stopped.set(true);
            }
            return VALUE;
        });
        folder.storeLater(KEY + "int 6\n", () -> VALUE);
        folder.pruneLater();
        assertEquals(Optional.empty(), folder.load(KEY));
        assertFalse(folder.awaitStored(Duration.ofMillis(20)), "the end of a process does not wait for ever");
        busy.countDown();
        assertTrue(folder.awaitStored(Duration.ofSeconds(60)));
        assertFalse(stopped.get());
        assertArrayEquals(VALUE, folder.load(KEY).orElseThrow());
        assertArrayEquals(VALUE, folder.load(KEY + "int 6\n").orElseThrow());
    }

    @Test
    void everyChangedByteIsFound() throws IOException {
        folder().store(KEY, VALUE);
        Path file = onlyFile();
        byte[] whole = Files.readAllBytes(file);
        for (int i = 0; i < whole.length; i++) {
            byte[] changed = whole.clone();
            changed[i] ^= 1;
            Files.write(file, changed);
            assertEquals(Optional.empty(), folder().load(KEY), "byte " + i);
        }
        Files.write(file, whole);
        assertTrue(folder().load(KEY).isPresent());
    }

    @Test
    void everyCutIsFound() throws IOException {
        folder().store(KEY, VALUE);
        Path file = onlyFile();
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertEquals(Optional.empty(), folder().load(KEY), "length " + length);
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        assertEquals(Optional.empty(), folder().load(KEY), "a byte more");
    }

    @Test
    void linesSayWhatIsWrong() throws IOException {
        folder().store(KEY, VALUE);
        byte[] whole = Files.readAllBytes(onlyFile());
        Files.write(onlyFile(), Arrays.copyOf(whole, whole.length - 3));
        assertIgnored("is cut off");
        notices.clear();
        Files.writeString(onlyFile(), "tornado-dit kernel 2\nwhatever");
        assertIgnored("has another format than this version's");
        notices.clear();
        Files.writeString(onlyFile(), "something else altogether");
        assertIgnored("is not a kept kernel");
        notices.clear();
        byte[] damaged = whole.clone();
        damaged[whole.length - 1]++;
        Files.write(onlyFile(), damaged);
        assertIgnored("is damaged");
    }

    /** Also one whose key begins as the wanted one does. */
    @ParameterizedTest
    @ValueSource(strings = {"another", "a kernel\nint 5", "a kernel\nint 5\n6"})
    void anotherKernelsFileIsIgnored(String key) throws IOException {
        folder().store(KEY, VALUE);
        Path file = onlyFile();
        folder().store(key, VALUE);
        try (Stream<Path> files = Files.list(file.getParent())) {
            Path other = files.filter(each -> !each.equals(file)).findFirst().orElseThrow();
            Files.delete(file);
            Files.move(other, file);
        }
        assertIgnored("is for another kernel");
    }

    /** A file without content of its own, which takes no room on the disk: it would on the heap. */
    @Test
    void whatIsLargerThanAnyKernelIsNotRead() throws IOException {
        folder().store(KEY, VALUE);
        try (RandomAccessFile large = new RandomAccessFile(onlyFile().toFile(), "rw")) {
            large.setLength((64L << 20) + 1);
        }
        assertIgnored("is larger than any kernel");
    }

    /** A folder in the place of a kernel, or a pipe, which nobody may ever write to. */
    @Test
    @Timeout(60)
    void whatIsNoFileIsLeftAloneAndStopsNothing() throws Exception {
        KernelFolder folder = folder();
        folder.store(KEY, VALUE);
        Path file = onlyFile();
        for (String make : List.of("mkdir", "mkfifo")) {
            Files.delete(file);
            Process made = new ProcessBuilder(make, file.toString()).start();
            assumeTrue(made.waitFor() == 0, make);
            notices.clear();
            assertIgnored("is no file");
            folder.store(KEY, VALUE);
            folder.store("another", VALUE);
            assertTrue(folder.load("another").isPresent(), "the others are kept: " + notices);
            assertEquals(1, notices.size(), notices.toString());
            Files.delete(otherThan(file));
        }
    }

    private Path otherThan(Path one) throws IOException {
        try (Stream<Path> files = Files.list(temp.resolve("new/kernels"))) {
            return files.filter(file -> !file.equals(one)).findFirst().orElseThrow();
        }
    }

    @Test
    void onlyTheFirstBadFileHasALine() throws IOException {
        KernelFolder folder = folder();
        folder.store(KEY, VALUE);
        folder.store("another", VALUE);
        try (Stream<Path> files = Files.list(temp.resolve("new/kernels"))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.writeString(file, "bad");
            }
        }
        assertEquals(Optional.empty(), folder.load(KEY));
        assertEquals(Optional.empty(), folder.load("another"));
        assertEquals(1, notices.size(), notices.toString());
        folder.store(KEY, VALUE);
        assertTrue(folder.load(KEY).isPresent(), "a bad file is replaced");
    }

    @Test
    void aFolderThatCannotBeMadeIsSaidOnce() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "in the way");
        KernelFolder folder = new KernelFolder(file.resolve("kernels"), 1 << 20, notices::add);
        folder.store(KEY, VALUE);
        folder.store("another", VALUE);
        folder.prune();
        assertEquals(Optional.empty(), folder.load(KEY));
        assertEquals(
                1,
                notices.stream()
                        .filter(line -> line.startsWith("compiled kernels are not kept in"))
                        .count(),
                notices.toString());
    }

    /** Every write to this device fails as on a disk without room. */
    @Test
    void aFullDiskIsSaidOnce() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.isWritable(full), "no /dev/full here");
        Path place = Files.createDirectories(temp.resolve("new/kernels"));
        KernelFolder folder = folder();
        folder.store(KEY, VALUE);
        Path file = onlyFile();
        Files.delete(file);
        Path part = file.resolveSibling(file.getFileName() + "."
                + ProcessHandle.current().pid() + "-" + Thread.currentThread().threadId() + ".part");
        Files.createSymbolicLink(part, full);
        folder.store(KEY, VALUE);
        folder.store(KEY, VALUE);
        assertEquals(1, notices.size(), notices.toString());
        assertTrue(notices.getFirst().startsWith("compiled kernels are not kept in " + place), notices.toString());
        assertFalse(Files.exists(file));
        assertFalse(Files.exists(part));
    }

    @Test
    void theOldestGo() throws IOException {
        KernelFolder folder = new KernelFolder(temp, 3500, notices::add);
        for (int i = 0; i < 6; i++) {
            folder.store("key " + i, new byte[1000]);
        }
        List<Path> files;
        try (Stream<Path> list = Files.list(temp)) {
            files = list.toList();
        }
        assertEquals(6, files.size());
        Instant now = Instant.now();
        for (Path file : files) {
            Files.setLastModifiedTime(file, FileTime.from(now.minus(Duration.ofDays(9))));
        }
        assertTrue(folder.load("key 1").isPresent());
        assertTrue(folder.load("key 4").isPresent());
        Path left = Files.write(temp.resolve("x.kernel.1-1.part"), new byte[10]);
        Path young = Files.write(temp.resolve("y.kernel.1-1.part"), new byte[10]);
        Path foreign = Files.write(temp.resolve("notes.txt"), new byte[5000]);
        Files.setLastModifiedTime(left, FileTime.from(now.minus(Duration.ofDays(1))));
        folder.prune();
        assertTrue(folder.load("key 1").isPresent(), "what was used stays");
        assertTrue(folder.load("key 4").isPresent(), "what was used stays");
        assertEquals(
                3,
                IntStream.range(0, 6)
                        .filter(i -> folder.load("key " + i).isPresent())
                        .count());
        assertFalse(Files.exists(left));
        assertTrue(Files.exists(young));
        assertTrue(Files.exists(foreign));
    }

    /** What autotune tries in an afternoon is more than a model has. */
    @Test
    void triedKernelsDoNotPushOutThoseOfAModel() throws IOException {
        KernelFolder folder = new KernelFolder(temp, 8000, notices::add);
        List<Path> before = List.of();
        Instant now = Instant.now();
        for (int hoursAgo : new int[] {5, 2}) {
            for (int i = 0; i < (hoursAgo == 5 ? 3 : 20); i++) {
                folder.store((hoursAgo == 5 ? "model " : "tried ") + i, new byte[1000]);
            }
            try (Stream<Path> list = Files.list(temp)) {
                List<Path> files = list.toList();
                for (Path file : files) {
                    if (!before.contains(file)) {
                        Files.setLastModifiedTime(file, FileTime.from(now.minus(Duration.ofHours(hoursAgo))));
                    }
                }
                before = files;
            }
        }
        for (int i = 0; i < 3; i++) {
            assertTrue(folder.load("model " + i).isPresent());
        }
        folder.prune();
        for (int i = 0; i < 3; i++) {
            assertTrue(folder.load("model " + i).isPresent(), "model " + i);
        }
    }

    /** Two processes write and read the same keys; one of them is killed in the middle, again and again. */
    @Test
    void killedWritersLeaveNothingThatIsLoaded() throws Exception {
        Path place = temp.resolve("shared");
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                place.toString());
        KernelFolder folder = new KernelFolder(place, 1 << 30, notices::add);
        int found = 0;
        for (int kill = 0; kill < 3; kill++) {
            Process writer =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            try {
                assertEquals('w', writer.getInputStream().read(), "the writer has begun");
                long end = System.nanoTime() + 60_000_000L * (kill + 1);
                while (System.nanoTime() < end) {
                    found += check(folder);
                    folder.store("key 1", Writer.value(1));
                }
            } finally {
                writer.destroyForcibly();
                assertTrue(writer.waitFor(20, TimeUnit.SECONDS));
            }
            found += check(folder);
        }
        assertTrue(found > 0, "nothing was ever written");
        assertEquals(List.of(), notices);
    }

    private static int check(KernelFolder folder) {
        int found = 0;
        for (int i = 0; i < Writer.KEYS; i++) {
            Optional<byte[]> value = folder.load("key " + i);
            if (value.isPresent()) {
                assertArrayEquals(Writer.value(i), value.get());
                found++;
            }
        }
        return found;
    }

    /** Another process. */
    static final class Writer {
        static final int KEYS = 4;

        private Writer() {}

        static byte[] value(int key) {
            byte[] value = new byte[300_000];
            new Random(key).nextBytes(value);
            return value;
        }

        public static void main(String[] arguments) {
            KernelFolder folder = new KernelFolder(Path.of(arguments[0]), 1 << 30, line -> {
                throw new IllegalStateException(line);
            });
            System.out.print('w');
            System.out.flush();
            for (int i = 0; ; i++) {
                folder.store("key " + i % KEYS, value(i % KEYS));
            }
        }
    }
}
