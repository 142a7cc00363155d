package org.tornadodit.model.io;

import java.nio.file.Path;
import java.util.Set;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;

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

    /** Releases the mapped memory; tensors must not be used any more. */
    @Override
    void close();
}
