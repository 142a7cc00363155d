package org.tornadodit.pipeline.setup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.pipeline.PictureFacts;

/** Fingerprints are made once for all who want them: pictures, states, and what is compared at the start. */
class FingerprintsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    private final AtomicInteger reads = new AtomicInteger();

    /** Counts tensors that are read; with a broken one. */
    private record Counting(Checkpoint checkpoint, AtomicInteger reads, String broken) implements Checkpoint {
        @Override
        public Path path() {
            return checkpoint.path();
        }

        @Override
        public Set<String> names() {
            return checkpoint.names();
        }

        @Override
        public Shape shape(String name) {
            return checkpoint.shape(name);
        }

        @Override
        public Tensor tensor(String name) {
            if (name.equals(broken)) {
                throw new CheckpointException(path() + ": damaged");
            }
            reads.incrementAndGet();
            return checkpoint.tensor(name);
        }

        @Override
        public void close() {}
    }

    private interface Use {
        void of(Fingerprints fingerprints, DitConfig config);
    }

    private void with(String broken, Use use) throws IOException {
        TinyModelFiles files = TinyModelFiles.write(Files.createDirectories(folder.resolve("model")));
        DitConfig config = DitConfig.fromJson(files.config());
        try (Checkpoint weights = Checkpoints.open(files.checkpoint());
                Checkpoint vae = Checkpoints.openVae(files.vae());
                Fingerprints fingerprints = new Fingerprints(
                        () -> config,
                        new Counting(weights, reads, broken),
                        () -> VaeConfig.fromJson(files.vae()),
                        vae)) {
            use.of(fingerprints, config);
        }
    }

    @Test
    void weightsAreReadOnceForAllWhoAsk() throws IOException {
        with("none", (fingerprints, config) -> {
            assertEquals(0, reads.get(), "nobody has asked");
            Map<String, String> required = fingerprints.require();
            assertEquals(required, fingerprints.begin().await());
            assertEquals(DitWeights.specs(config).size(), reads.get());
            assertEquals(Set.of(PictureFacts.WEIGHTS, PictureFacts.VAE_WEIGHTS), required.keySet());
        });
    }

    @Test
    void whatCannotBeReadIsNamedToWhoeverNeedsIt() throws IOException {
        with("final_layer.linear.weight", (fingerprints, config) -> {
            assertEquals(Map.of(), fingerprints.await(), "no reason to lose pictures");
            CheckpointException refused = assertThrows(CheckpointException.class, fingerprints::require);
            assertEquals(folder.resolve("model/tiny.safetensors") + ": damaged", refused.getMessage());
        });
    }
}
