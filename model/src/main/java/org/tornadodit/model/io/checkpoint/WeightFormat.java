package org.tornadodit.model.io.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.MappedFile;
import org.tornadodit.model.io.file.MappedFiles;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.StoredTensor;
import org.tornadodit.model.io.torch.LegacyTorchFile;
import org.tornadodit.model.io.torch.TorchFile;

/** What a weights file is, by its content: users rename files. */
enum WeightFormat {
    TORCH_ZIP {
        @Override
        Map<String, StoredTensor> read(Path file, MappedFiles files) {
            return TorchFile.read(file, files);
        }
    },
    TORCH_LEGACY {
        @Override
        Map<String, StoredTensor> read(Path file, MappedFiles files) {
            return LegacyTorchFile.read(file, files);
        }
    },
    SAFETENSORS {
        @Override
        Map<String, StoredTensor> read(Path file, MappedFiles files) {
            return SafetensorsFile.read(file, files);
        }
    };

    private static final int PEEKED = 64;

    abstract Map<String, StoredTensor> read(Path file, MappedFiles files);

    /** @throws CheckpointException when it is neither, saying what it looks like */
    static WeightFormat of(Path file) {
        byte[] start = peek(file);
        if (startsWith(start, 'P', 'K', 3, 4) || startsWith(start, 'P', 'K', 5, 6)) {
            return TORCH_ZIP;
        }
        if (LegacyTorchFile.recognizes(start)) {
            return TORCH_LEGACY;
        }
        String fileName = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        if ((start.length > Long.BYTES && start[Long.BYTES] == '{') || fileName.endsWith(".safetensors")) {
            return SAFETENSORS;
        }
        throw Refusal.of(file, "checkpoint", "a PyTorch file (.pt), .safetensors or diffusers folder", looks(start));
    }

    private static String looks(byte[] start) {
        String text = new String(start, StandardCharsets.ISO_8859_1);
        if (start.length == 0) {
            return "an empty file";
        }
        if (text.startsWith("version https://git-lfs")) {
            return "a Git LFS pointer: fetch the file itself with git lfs pull";
        }
        if (text.stripLeading().toLowerCase(Locale.ROOT).startsWith("<!doctype")
                || text.stripLeading().toLowerCase(Locale.ROOT).startsWith("<html")) {
            return "a web page";
        }
        if (startsWith(start, 0x80)) {
            return "a bare pickle, which is not read";
        }
        return "a file that starts with '" + Refusal.printable(text.substring(0, Math.min(16, text.length()))) + "'";
    }

    private static byte[] peek(Path file) {
        MappedFile.requireFile(file);
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(PEEKED);
        } catch (IOException e) {
            throw MappedFile.unreadable(file, e);
        }
    }

    private static boolean startsWith(byte[] start, int... bytes) {
        if (start.length < bytes.length) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if (start[i] != (byte) bytes[i]) {
                return false;
            }
        }
        return true;
    }
}
