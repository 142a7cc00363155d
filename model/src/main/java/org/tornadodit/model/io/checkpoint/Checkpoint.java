package org.tornadodit.model.io.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.file.CheckpointException;

/** Named float tensors of one checkpoint, whatever its format. Tensors live until the checkpoint is closed. */
public interface Checkpoint extends AutoCloseable {

    /** The file or folder, for messages. */
    Path path();

    /** Names in the order of the file. */
    Set<String> names();

    /**
     * The shape of a tensor, known without reading its data.
     *
     * @throws CheckpointException when there is no such tensor
     */
    Shape shape(String name);

    /**
     * A tensor as float32: mapped memory where it is stored as contiguous float32, converted otherwise.
     *
     * @throws CheckpointException when there is no such tensor, or its data cannot be read
     */
    Tensor tensor(String name);

    /**
     * Bytes outside the heap that {@link #tensor} takes for a tensor: those of a copy where it is not used as it lies.
     *
     * @throws CheckpointException when there is no such tensor
     */
    default long copiedBytes(String name) {
        return 0;
    }

    /**
     * Begins to compare tensors with the file's checksums beside other work: {@link #tensor} gives them without waiting,
     * and {@link #requireIntact} tells the outcome.
     *
     * @param names of tensors that are there
     */
    default void beginChecks(List<String> names) {}

    /**
     * To be asked before what was made of tensors is used, and when reading them failed: waits for the checks that have
     * begun. A mapped file shows what others write to it.
     *
     * @throws CheckpointException when a tensor is damaged, or a file was truncated or written to since it was opened
     */
    default void requireIntact() {}

    /** Releases the mapped memory; tensors must not be used any more. */
    @Override
    void close();
}
