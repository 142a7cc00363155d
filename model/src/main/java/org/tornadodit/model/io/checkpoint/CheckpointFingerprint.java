package org.tornadodit.model.io.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.tornadodit.model.io.tensor.TensorSpec;

/**
 * Tells models apart: a SHA-256 of the tensors' names, shapes and values. The same weights give the same fingerprint in
 * every file format.
 */
public final class CheckpointFingerprint {
    private static final long HASHED_AT_ONCE = 1 << 24;

    private CheckpointFingerprint() {}

    /** 32 hexadecimal digits of these tensors; reads all of them, on all cores. */
    public static String of(Checkpoint checkpoint, List<TensorSpec> tensors) {
        MessageDigest all = sha256();
        tensors.parallelStream().map(spec -> digest(checkpoint, spec)).forEachOrdered(all::update);
        return HexFormat.of().formatHex(all.digest(), 0, 16);
    }

    private static byte[] digest(Checkpoint checkpoint, TensorSpec spec) {
        MessageDigest sha = sha256();
        sha.update((spec.name() + spec.shape()).getBytes(StandardCharsets.UTF_8));
        MemorySegment values = checkpoint.tensor(spec.name()).data();
        for (long done = 0; done < values.byteSize(); done += HASHED_AT_ONCE) {
            sha.update(values.asSlice(done, Math.min(HASHED_AT_ONCE, values.byteSize() - done))
                    .asByteBuffer());
        }
        return sha.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
