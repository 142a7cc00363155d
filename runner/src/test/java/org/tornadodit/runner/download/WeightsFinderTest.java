package org.tornadodit.runner.download;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.model.io.file.CheckpointException;

/** Weights in the download folder and in a Hugging Face cache as huggingface_hub lays it out. */
class WeightsFinderTest {
    private static final String REPOSITORY = "facebook/DiT-XL-2-512";

    @TempDir
    Path home;

    private Path cache;
    private Path weights;
    private WeightsFinder finder;

    @BeforeEach
    void folders() {
        cache = home.resolve(".cache/huggingface/hub");
        weights = home.resolve("weights");
        finder = new WeightsFinder(weights, HubCache.of(Map.of(), home));
    }

    /** One file of a snapshot, which is a link into blobs/ as the hub's programs make it. */
    private Path cached(String repository, String revision, String file) throws IOException {
        Path model = cache.resolve("models--" + repository.replace("/", "--"));
        Path blob = model.resolve("blobs").resolve(revision + file.hashCode());
        Files.createDirectories(blob.getParent());
        Files.writeString(blob, "weights");
        Path snapshot = model.resolve("snapshots").resolve(revision);
        Path link = snapshot.resolve(file);
        Path folder = link.resolveSibling(".").normalize();
        Files.createDirectories(folder);
        Files.createSymbolicLink(link, folder.relativize(blob));
        return snapshot;
    }

    private void main(String repository, String revision) throws IOException {
        Path refs = cache.resolve("models--" + repository.replace("/", "--")).resolve("refs");
        Files.createDirectories(refs);
        Files.writeString(refs.resolve("main"), revision);
    }

    private Path pipeline(String revision) throws IOException {
        cached(REPOSITORY, revision, "vae/diffusion_pytorch_model.bin");
        return cached(REPOSITORY, revision, "transformer/diffusion_pytorch_model.bin");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "HF_HUB_CACHE=/a, HF_HOME=/b; /a",
                "HUGGINGFACE_HUB_CACHE=/a; /a",
                "HF_HOME=/b, XDG_CACHE_HOME=/c; /b/hub",
                "HF_HOME=~/b; HOME/b/hub",
                "XDG_CACHE_HOME=/c; /c/huggingface/hub",
                "HF_HOME=; HOME/.cache/huggingface/hub"
            })
    void findsTheCacheAsTheHubsProgramsDo(String variables, String expected) {
        Map<String, String> environment = new java.util.HashMap<>();
        for (String variable : variables.split(", ")) {
            environment.put(variable.split("=", 2)[0], variable.split("=", 2)[1]);
        }
        assertEquals(
                Path.of(expected.replace("HOME", home.toString())),
                HubCache.of(environment, home).folder());
    }

    @Test
    void takesTheSnapshotThatMainNames() throws IOException {
        Path first = pipeline("aaa");
        pipeline("bbb");
        main(REPOSITORY, "aaa\n");
        assertEquals(first, finder.checkpoint(Path.of(REPOSITORY)));
    }

    @Test
    void withoutMainTheNewestWholeSnapshotServes() throws IOException {
        Path old = pipeline("aaa");
        Path whole = pipeline("bbb");
        Path broken = cached(REPOSITORY, "ccc", "transformer/config.json");
        Files.createSymbolicLink(broken.resolve("transformer/diffusion_pytorch_model.bin"), Path.of("nowhere"));
        Files.setLastModifiedTime(old, FileTime.fromMillis(1000));
        Files.setLastModifiedTime(whole, FileTime.fromMillis(2000));
        main(REPOSITORY, "ccc");
        assertEquals(whole, finder.checkpoint(Path.of(REPOSITORY)));
    }

    @Test
    void anyRepositoryInTheCacheServes() throws IOException {
        Path snapshot = cached("somebody/my-dit", "abc", "diffusion_pytorch_model.safetensors");
        assertEquals(snapshot, finder.checkpoint(Path.of("somebody/my-dit")));
        CheckpointException missing =
                assertThrows(CheckpointException.class, () -> finder.checkpoint(Path.of("somebody/other-dit")));
        assertTrue(
                String.valueOf(missing.getMessage()).contains("hf download somebody/other-dit"), missing.getMessage());
        assertTrue(String.valueOf(missing.getMessage()).contains(cache.toString()), missing.getMessage());
    }

    @Test
    void anEmptyCacheIsAnsweredWithTheCommand() {
        CheckpointException ckpt =
                assertThrows(CheckpointException.class, () -> finder.checkpoint(Path.of(REPOSITORY)));
        assertTrue(
                String.valueOf(ckpt.getMessage()).contains("./dit download facebook/DiT-XL-2-512 fetches it"),
                ckpt.getMessage());
        CheckpointException file =
                assertThrows(CheckpointException.class, () -> finder.checkpoint(Path.of("DiT-XL-2-256x256.pt")));
        assertTrue(
                String.valueOf(file.getMessage()).contains("./dit download DiT-XL/2-256 fetches it"),
                file.getMessage());
        CheckpointException vae = assertThrows(CheckpointException.class, () -> finder.vae(Path.of("mse")));
        assertTrue(
                String.valueOf(vae.getMessage()).contains("./dit download sd-vae-ft-mse fetches it"), vae.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "https://dl.fbaipublicfiles.com/DiT/models/DiT-XL-2-512x512.pt, ./dit download DiT-XL/2-512 fetches it",
        "https://huggingface.co/facebook/DiT-XL-2-256/tree/main, ./dit download facebook/DiT-XL-2-256 fetches it",
        "https://huggingface.co/stabilityai/sd-vae-ft-mse, ./dit download sd-vae-ft-mse fetches it",
        "http://example.org/dit.pt, 'download it first, and give its path'"
    })
    void anAddressIsAnsweredWithTheCommand(String address, String advice) {
        CheckpointException error = assertThrows(CheckpointException.class, () -> finder.checkpoint(Path.of(address)));
        assertTrue(String.valueOf(error.getMessage()).endsWith(advice), error.getMessage());
        assertTrue(String.valueOf(error.getMessage()).contains(address), error.getMessage());
    }

    @Test
    void ordinaryPathsStayWhatTheyAre() {
        for (String path : new String[] {"weights.pt", "models/weights.pt", "/no/such/folder", "a/b/c"}) {
            assertEquals(Path.of(path), finder.checkpoint(Path.of(path)));
        }
        Path there = home.resolve("x/facebook");
        assertTrue(there.toFile().mkdirs());
        assertEquals(there.resolve("y"), finder.checkpoint(there.resolve("y")), "a typing error beside a real folder");
    }

    @Test
    void whatWasDownloadedServesWithoutOptions() throws IOException {
        assertEquals(Optional.empty(), finder.dit(null, null));
        Path big = weights.resolve("DiT-XL-2-512x512.pt");
        Path ema = weights.resolve("sd-vae-ft-ema");
        Files.createDirectories(ema);
        Files.writeString(big, "weights");
        assertEquals(Optional.empty(), finder.dit(512, null), "no autoencoder yet");
        Files.writeString(ema.resolve("diffusion_pytorch_model.safetensors"), "weights");
        assertEquals(Optional.of(new WeightsFinder.Found(big, ema)), finder.dit(512, null));
        assertEquals(Optional.of(new WeightsFinder.Found(big, ema)), finder.dit(null, null));
        assertEquals(Optional.empty(), finder.dit(256, null));
        assertEquals(Optional.of(new WeightsFinder.Found(big, home)), finder.dit(512, home));
        assertEquals(ema, finder.vae(Path.of("ema")));
        assertEquals(ema, finder.vae(Path.of("stabilityai/sd-vae-ft-ema")));
        assertEquals(big, finder.checkpoint(Path.of("DiT-XL-2-512x512.pt")));
    }

    @Test
    void aCachedPipelineBringsItsAutoencoder() throws IOException {
        Path snapshot = pipeline("aaa");
        assertEquals(Optional.of(new WeightsFinder.Found(snapshot, snapshot.resolve("vae"))), finder.dit(512, null));
        Path mse = cached("stabilityai/sd-vae-ft-mse", "eee", "diffusion_pytorch_model.safetensors");
        assertEquals(mse, finder.vae(Path.of("mse")));
    }
}
