package org.tornadodit.model.io;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.tornadodit.model.Tensor;

/**
 * Tells models apart without reading all of their weights: a SHA-256 of the tensors' names and shapes, and of some values
 * of each. The same weights give the same fingerprint in every file format.
 */
public final class CheckpointFingerprint {
    private static final int VALUES = 64;

    private CheckpointFingerprint() {}

    /** 32 hexadecimal digits of these tensors. */
    public static String of(Checkpoint checkpoint, List<TensorSpec> tensors) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            ByteBuffer values = ByteBuffer.allocate(VALUES * Float.BYTES);
            for (TensorSpec spec : tensors) {
                sha.update((spec.name() + spec.shape()).getBytes(StandardCharsets.UTF_8));
                Tensor tensor = checkpoint.tensor(spec.name());
                long elements = tensor.shape().elements();
                values.clear();
                for (int i = 0; i < Math.min(VALUES, elements); i++) {
                    values.putFloat(tensor.get(elements <= VALUES ? i : i * ((elements - 1) / (VALUES - 1))));
                }
                sha.update(values.flip());
            }
            return HexFormat.of().formatHex(sha.digest(), 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
