package org.tornadodit.runner.bulk;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.metrics.ImageFileException;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.metrics.RgbImage;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.runner.terminal.PermanentException;

/** Reads the pictures of a run, and takes none for whole that is not, and none for the run's that is another's. */
record PictureReader(RunFolder folder, RunManifest manifest) {
    /**
     * A picture that is whole.
     *
     * @param label its class
     */
    record Whole(RgbImage image, int label) {}

    /**
     * Decodes a picture: all checksums hold, and size and facts are the run's.
     *
     * @throws TornPictureException when the file is damaged
     * @throws PermanentException when it is another run's, or no picture of ours
     * @throws IOException when it cannot be read
     */
    Whole read(int number) throws IOException {
        Path file = folder.picture(number);
        if (!Files.isReadable(file)) {
            throw new IOException(Printable.path(file) + ": no permission to read it, or it is gone");
        }
        Optional<PictureFacts> told;
        RgbImage image;
        try {
            image = ImageFiles.read(file);
            told = PictureFacts.read(file);
        } catch (ImageFileException e) {
            if (!beginsAsOurs(file)) {
                throw foreign(file, String.valueOf(e.getMessage()));
            }
            throw new TornPictureException(String.valueOf(e.getMessage()), e);
        }
        PictureFacts made = told.orElseThrow(() -> foreign(file, "it does not tell that ./dit bulk made it"));
        Integer label = RunManifest.label(made);
        String difference = manifest.difference(made, number);
        if (difference != null || label == null) {
            throw foreign(file, difference == null ? "it tells no class" : difference);
        }
        if (image.width() != manifest.imageSize() || image.height() != manifest.imageSize()) {
            throw foreign(file, "%d x %d pixels".formatted(image.width(), image.height()));
        }
        return new Whole(image, label);
    }

    /** Whether what is there of a PNG's signature is, or nothing was written where it should be, as a power failure leaves it. */
    private static boolean beginsAsOurs(Path file) throws IOException {
        byte[] signature = ImageFiles.pngSignature();
        byte[] begin;
        try (InputStream in = Files.newInputStream(file)) {
            begin = in.readNBytes(signature.length);
        }
        return Arrays.equals(begin, Arrays.copyOf(signature, begin.length))
                || Arrays.equals(begin, new byte[begin.length]);
    }

    /**
     * As above, of a class that is known.
     *
     * @return why it has to be made again; null where it is whole
     */
    @Nullable
    String damage(int number, int label) throws IOException {
        try {
            Whole whole = read(number);
            if (whole.label() != label) {
                throw foreign(folder.picture(number), "class %d, not %d".formatted(whole.label(), label));
            }
            return null;
        } catch (TornPictureException e) {
            return e.getMessage();
        }
    }

    private static PermanentException foreign(Path file, String why) {
        return new PermanentException("%s is none of this run's pictures: %s; move it out of the folder"
                .formatted(Printable.path(file), why));
    }
}
