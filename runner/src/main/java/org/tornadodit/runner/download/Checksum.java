package org.tornadodit.runner.download;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.function.LongConsumer;
import org.tornadodit.model.io.file.Sha256;

/** SHA-256 of files. */
final class Checksum {
    private Checksum() {}

    /**
     * The file's sum in 64 small hexadecimal digits.
     *
     * @param watcher hears how many bytes are done
     */
    static String of(Path file, LongConsumer watcher) throws IOException {
        MessageDigest digest = Sha256.digest();
        byte[] buffer = new byte[1 << 20];
        long done = 0;
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
                done += read;
                watcher.accept(done);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
