package org.tornadodit.ptx;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** What decides a kernel's code besides the kernel and its arguments: classes, compilers, the JVM. */
final class CodeOrigin {

    private CodeOrigin() {}

    /**
     * Digest of all classes beside the given ones, wherever they are: a folder or a jar. Times do not count, so that a
     * rebuilt jar with the same classes has the same digest.
     *
     * @throws IOException when they cannot be read
     */
    static String digest(Class<?>... types) throws IOException {
        MessageDigest digest = KernelFolder.sha256();
        for (Class<?> type : types) {
            Path root = place(type);
            if (Files.isDirectory(root)) {
                addClasses(root, digest);
            } else {
                try (FileSystem jar = FileSystems.newFileSystem(root)) {
                    addClasses(jar.getPath("/"), digest);
                }
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static Path place(Class<?> type) throws IOException {
        var source = type.getProtectionDomain().getCodeSource();
        if (source == null || source.getLocation() == null) {
            throw new IOException(type + " is in no known place");
        }
        return Path.of(java.net.URI.create(source.getLocation().toString()));
    }

    private static void addClasses(Path root, MessageDigest digest) throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(root)) {
            files = walk.filter(file -> file.toString().endsWith(".class"))
                    .sorted((a, b) -> root.relativize(a)
                            .toString()
                            .compareTo(root.relativize(b).toString()))
                    .toList();
        }
        for (Path file : files) {
            digest.update(root.relativize(file)
                    .toString()
                    .replace('\\', '/')
                    .getBytes(java.nio.charset.StandardCharsets.UTF_8));
            digest.update(KernelFolder.sha256().digest(Files.readAllBytes(file)));
        }
    }
}
