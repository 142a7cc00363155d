package org.tornadodit.pipeline.setup;

import java.util.List;
import java.util.function.Supplier;
import org.tornadodit.model.io.checkpoint.Checkpoint;

/**
 * The open checkpoints of a run. They are mapped, so that what others write to the files is what a run computes with:
 * nothing is made of files that changed, or whose checksums do not hold.
 */
public record WeightFiles(List<Checkpoint> checkpoints) {

    public WeightFiles {
        checkpoints = List.copyOf(checkpoints);
    }

    public static WeightFiles of(Checkpoint... checkpoints) {
        return new WeightFiles(List.of(checkpoints));
    }

    /**
     * Does what reads the files, and passes its result on where they are sound and unchanged since they were opened;
     * closes it where they are not.
     *
     * @throws org.tornadodit.model.io.file.CheckpointException when one of them is damaged, or was truncated or written to,
     *     whatever the work ended in
     */
    public <T> T read(Supplier<T> work) {
        T result;
        try {
            result = work.get();
        } catch (RuntimeException | Error failure) { // a page that is gone is an InternalError
            requireIntact();
            throw failure;
        }
        try {
            requireIntact();
        } catch (RuntimeException | Error failure) {
            if (result instanceof AutoCloseable made) {
                try {
                    made.close();
                } catch (Exception e) {
                    failure.addSuppressed(e);
                }
            }
            throw failure;
        }
        return result;
    }

    private void requireIntact() {
        checkpoints.forEach(Checkpoint::requireIntact);
    }
}
