package org.tornadodit.model.io.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.tornadodit.model.io.file.Sha256;
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
        MessageDigest all = Sha256.digest();
        tensors.parallelStream().map(spec -> digest(checkpoint, spec)).forEachOrdered(all::update);
        return HexFormat.of().formatHex(all.digest(), 0, 16);
    }

    private static byte[] digest(Checkpoint checkpoint, TensorSpec spec) {
        MessageDigest sha = Sha256.digest();
        sha.update((spec.name() + spec.shape()).getBytes(StandardCharsets.UTF_8));
        MemorySegment values = checkpoint.tensor(spec.name()).data();
        for (long done = 0; done < values.byteSize(); done += HASHED_AT_ONCE) {
            sha.update(values.asSlice(done, Math.min(HASHED_AT_ONCE, values.byteSize() - done))
                    .asByteBuffer());
        }
        return sha.digest();
    }
}
