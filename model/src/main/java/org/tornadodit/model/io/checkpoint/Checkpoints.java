package org.tornadodit.model.io.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.MappedFiles;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.StoredTensor;

/**
 * Opens checkpoints of DiT and of its VAE, whatever the format. Files are mapped, not read: only pages that are used
 * take memory, and nothing that a file contains is executed.
 */
public final class Checkpoints {

    /** In order of preference, as diffusers looks for them; the last one is its half-precision variant. */
    private static final List<String> WEIGHTS = List.of(
            "diffusion_pytorch_model.safetensors",
            "diffusion_pytorch_model.safetensors.index.json",
            "diffusion_pytorch_model.bin",
            "diffusion_pytorch_model.bin.index.json",
            "diffusion_pytorch_model.fp16.safetensors",
            "diffusion_pytorch_model.fp16.bin");

    private Checkpoints() {}

    /**
     * Opens DiT weights under facebookresearch/DiT's names: a {@code .pt} file (a state_dict, or a training checkpoint,
     * of which "ema" is taken), a {@code .safetensors} file, a {@code .safetensors.index.json}, or a diffusers folder
     * ({@code transformer} in it, or itself), whose tensors are renamed and q, k, v joined. Older names
     * of REPA's blocks become today's.
     *
     * @throws CheckpointException when it cannot be read, in one line
     */
    public static Checkpoint open(Path fileOrFolder) {
        StoredCheckpoint stored = openStored(weights(fileOrFolder, "transformer"));
        return closingOnFailure(
                stored,
                () -> DiffusersDit.recognizes(stored)
                        ? DiffusersDit.map(stored)
                        : OlderRepa.recognizes(stored) ? OlderRepa.map(stored) : stored);
    }

    /**
     * Opens the weights of an AutoencoderKL in diffusers' layout: its folder, a pipeline's folder with {@code vae} in it,
     * or a weights file. Attention layers have diffusers' present names (to_q, to_k, to_v, to_out.0).
     *
     * @throws CheckpointException when it cannot be read, in one line
     */
    public static Checkpoint openVae(Path folderOrFile) {
        StoredCheckpoint stored = openStored(weights(folderOrFile, "vae"));
        return closingOnFailure(stored, () -> DiffusersVae.map(stored));
    }

    /**
     * The folder that holds a model's config.json: {@code part} of a diffusers pipeline, the folder itself, or a file's
     * folder; empty when there is none.
     *
     * @param part {@code transformer} or {@code vae}
     */
    public static Optional<Path> configFolder(Path fileOrFolder, String part) {
        Path folder = fileOrFolder;
        if (Files.isDirectory(fileOrFolder.resolve(part))) {
            folder = fileOrFolder.resolve(part);
        } else if (!Files.isDirectory(fileOrFolder)) {
            folder = fileOrFolder.toAbsolutePath().resolveSibling(".").normalize();
        }
        return Files.isRegularFile(folder.resolve("config.json")) ? Optional.of(folder) : Optional.empty();
    }

    private static Path weights(Path fileOrFolder, String part) {
        if (!Files.isDirectory(fileOrFolder)) {
            return fileOrFolder;
        }
        Path folder = fileOrFolder.resolve(part);
        if (!Files.isDirectory(folder)) {
            folder = fileOrFolder;
        }
        for (String name : WEIGHTS) {
            if (Files.exists(folder.resolve(name))) {
                return folder.resolve(name);
            }
        }
        throw Refusal.of(folder, "folder", "%s or .bin".formatted(WEIGHTS.getFirst()), "neither, nor a folder " + part);
    }

    // The files outlive this method: they are closed with the checkpoint.
    @SuppressWarnings("MustBeClosedChecker")
    private static StoredCheckpoint openStored(Path file) {
        MappedFiles files = new MappedFiles();
        try {
            Map<String, StoredTensor> tensors =
                    String.valueOf(file.getFileName()).endsWith(".index.json")
                            ? ShardedWeights.read(file, files)
                            : WeightFormat.of(file).read(file, files);
            files.requireUnchanged();
            return new StoredCheckpoint(file, files, tensors);
        } catch (Throwable failure) {
            try (files) {
                files.requireUnchanged(); // says more than what the change led to
            }
            throw failure;
        }
    }

    private interface Mapping {
        Checkpoint apply();
    }

    private static Checkpoint closingOnFailure(StoredCheckpoint stored, Mapping mapping) {
        try {
            return mapping.apply();
        } catch (Throwable failure) {
            stored.close();
            throw failure;
        }
    }
}
