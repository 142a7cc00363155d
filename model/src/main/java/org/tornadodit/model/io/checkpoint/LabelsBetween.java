package org.tornadodit.model.io.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;

/**
 * A DiT's checkpoint with more classes than it was trained on: between two of them, on the line from one's embedding to the
 * other's. They come after the others, before the null class, so that engines find nothing new.
 */
public final class LabelsBetween implements Checkpoint {
    private static final String TABLE = "y_embedder.embedding_table.weight";

    private final Checkpoint source;
    private final Tensor table;

    /**
     * @param source closed with this one
     * @param from a class
     * @param to another
     * @param shares how far the new classes are from the one to the other, 0 to 1
     */
    public LabelsBetween(Checkpoint source, int from, int to, List<Double> shares) {
        this.source = source;
        Shape old = source.shape(TABLE);
        int classes = Math.toIntExact(old.dim(0)) - 1;
        int hidden = Math.toIntExact(old.dim(1));
        Tensor known = source.tensor(TABLE);
        Shape shape = Shape.of(classes + shares.size() + 1L, hidden);
        long row = (long) hidden * Float.BYTES;
        MemorySegment data = Arena.ofAuto().allocate(shape.elements() * Float.BYTES, 64);
        MemorySegment.copy(known.data(), 0, data, 0, classes * row);
        for (int i = 0; i < shares.size(); i++) {
            double share = shares.get(i);
            for (int j = 0; j < hidden; j++) {
                double a = known.get((long) from * hidden + j);
                double b = known.get((long) to * hidden + j);
                data.set(Tensor.FLOAT, (classes + i) * row + (long) j * Float.BYTES, (float) (a + share * (b - a)));
            }
        }
        MemorySegment.copy(known.data(), classes * row, data, (classes + shares.size()) * row, row);
        table = new Tensor(TABLE, shape, data.asReadOnly());
    }

    @Override
    public Path path() {
        return source.path();
    }

    @Override
    public Set<String> names() {
        return source.names();
    }

    @Override
    public Shape shape(String name) {
        return name.equals(TABLE) ? table.shape() : source.shape(name);
    }

    @Override
    public Tensor tensor(String name) {
        return name.equals(TABLE) ? table : source.tensor(name);
    }

    @Override
    public long copiedBytes(String name) {
        return name.equals(TABLE) ? table.data().byteSize() : source.copiedBytes(name);
    }

    @Override
    public void beginChecks(List<String> names) {
        source.beginChecks(names);
    }

    @Override
    public void requireIntact() {
        source.requireIntact();
    }

    @Override
    public void close() {
        source.close();
    }
}
