package org.tornadodit.model.io.file;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    @Test
    void replacesTheOldFileWhole() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "old");
        AtomicFile.write(file, out -> out.write("new".getBytes(UTF_8)));
        assertEquals("new", Files.readString(file));
        assertEquals(List.of("a.txt"), names());
    }

    @Test
    void leavesTheOldFileAndNoPartWhenWritingFails() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "old");
        assertThrows(
                IOException.class,
                () -> AtomicFile.write(file, out -> {
                    out.write("ha".getBytes(UTF_8));
                    throw new IOException("disk full");
                }));
        assertEquals("old", Files.readString(file));
        assertEquals(List.of("a.txt"), names());
    }

    @Test
    void createsWhereThereIsNone() throws IOException {
        Path file = folder.resolve("a.txt");
        assertTrue(AtomicFile.create(file, out -> out.write("first".getBytes(UTF_8))));
        assertFalse(AtomicFile.create(file, out -> out.write("second".getBytes(UTF_8))));
        assertEquals("first", Files.readString(file));
        assertEquals(List.of("a.txt"), names());
    }

    /** With hard links, and without. */
    @Test
    void ofTwoWhoCreateOneDoes() throws Exception {
        List<AtomicFile.Naming> ways = List.of(AtomicFile::linkOrReserve, AtomicFile::reserve);
        for (int i = 0; i < 400; i++) {
            Path file = folder.resolve(i + ".txt");
            AtomicFile.Naming way = ways.get(i % 2);
            CyclicBarrier start = new CyclicBarrier(3);
            CompletableFuture<Boolean> first = created(file, "first", way, start);
            CompletableFuture<Boolean> second = created(file, "second", way, start);
            start.await();
            Set<String> seen = new HashSet<>();
            while (!first.isDone() || !second.isDone()) {
                if (Files.exists(file)) {
                    seen.add(Files.readString(file));
                }
            }
            assertTrue(first.get() ^ second.get(), "try " + i);
            String left = first.get() ? "first" : "second";
            assertEquals(left, Files.readString(file), "try " + i);
            seen.remove(left);
            if (i % 2 == 1) {
                seen.remove("");
            }
            assertEquals(Set.of(), seen, "try " + i);
            Files.delete(file);
        }
        assertEquals(List.of(), names());
    }

    private static CompletableFuture<Boolean> created(
            Path file, String content, AtomicFile.Naming way, CyclicBarrier start) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        start.await(10, TimeUnit.SECONDS);
                        return AtomicFile.create(file, out -> out.write(content.getBytes(UTF_8)), way);
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                },
                task -> Thread.ofPlatform().start(task));
    }

    @Test
    void discardsWhatIsBeingWritten() throws IOException {
        Path file = folder.resolve("a.txt");
        assertThrows(
                IOException.class,
                () -> AtomicFile.write(file, out -> {
                    out.write("ha".getBytes(UTF_8));
                    out.flush();
                    assertEquals(1, names().size());
                    AtomicFile.discardUnfinished();
                    assertEquals(List.of(), names());
                }));
        assertEquals(List.of(), names());
    }

    @Test
    void followsLinksAndKeepsThem() throws IOException {
        Path other = Files.createDirectory(folder.resolve("other"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("other/file"));
        AtomicFile.write(link, out -> out.write(1)); // dangling at first
        AtomicFile.write(link, out -> out.write(2));
        assertTrue(Files.isSymbolicLink(link));
        assertArrayEquals(new byte[] {2}, Files.readAllBytes(other.resolve("file")));
        Path loop = Files.createSymbolicLink(folder.resolve("loop"), Path.of("loop"));
        IOException error = assertThrows(IOException.class, () -> AtomicFile.tryOut(loop));
        assertTrue(String.valueOf(error.getMessage()).contains("in a circle"), error.toString());
    }

    @Test
    void keepsTheMode() throws IOException {
        Path file = Files.writeString(folder.resolve("a.txt"), "old");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        AtomicFile.write(file, out -> out.write(1));
        assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }

    @Test
    void writesToPipesAndRefusesSockets() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        AtomicFile.tryOut(pipe); // does not wait for a reader
        CompletableFuture<byte[]> read = CompletableFuture.supplyAsync(() -> {
            try {
                return Files.readAllBytes(pipe);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        AtomicFile.write(pipe, out -> out.write("through".getBytes(UTF_8)));
        assertEquals("through", new String(read.get(60, TimeUnit.SECONDS), UTF_8));
        assertEquals(List.of("pipe"), names());
        Path socket = folder.resolve("socket");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            IOException error = assertThrows(IOException.class, () -> AtomicFile.tryOut(socket));
            assertTrue(String.valueOf(error.getMessage()).contains("a socket"), error.toString());
        }
    }

    @Test
    void takesTheLongestNamesAndRefusesLongerOnes() throws IOException {
        Path longest = folder.resolve("x".repeat(255));
        AtomicFile.tryOut(longest);
        AtomicFile.write(longest, out -> out.write(1));
        assertEquals(1, Files.size(longest));
        assertThrows(IOException.class, () -> AtomicFile.tryOut(folder.resolve("x".repeat(256))));
    }

    @Test
    void deletesPartsOfKilledProcessesButNotOfThoseThatRun() throws IOException {
        Path file = folder.resolve("a.txt");
        Path abandoned = Files.createFile(PartName.beside(file));
        Path anothers = Files.createFile(PartName.beside(folder.resolve("b.txt")));
        AtomicFile.write(file, out -> AtomicFile.tryOut(file)); // the part being written is not taken
        assertTrue(Files.exists(file) && Files.exists(anothers));
        assertFalse(Files.exists(abandoned));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
