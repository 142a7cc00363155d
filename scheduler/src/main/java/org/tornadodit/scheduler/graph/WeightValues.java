package org.tornadodit.scheduler.graph;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import org.tornadodit.model.Tensor;
import org.tornadodit.scheduler.plan.Part.Span;

/** Numbers that are to be sent to a device: a tensor's, or what a device of several has of it. */
sealed interface WeightValues {

    /** How many. */
    long elements();

    /**
     * Writes some of them.
     *
     * @param first index of the first
     * @param target holds exactly those that are wanted
     */
    void copyTo(long first, MemorySegment target);

    /** All of a tensor. */
    record Whole(Tensor tensor) implements WeightValues {
        @Override
        public long elements() {
            return tensor.shape().elements();
        }

        @Override
        public void copyTo(long first, MemorySegment target) {
            tensor.copyTo(first, target);
        }
    }

    /**
     * Some rows and columns of a tensor whose first dimension are the rows.
     *
     * @param rows one run below the other
     */
    record Share(Tensor tensor, List<Span> rows, Span columns) implements WeightValues {
        public Share {
            rows = List.copyOf(rows);
        }

        @Override
        public long elements() {
            return rows.stream().mapToLong(Span::count).sum() * columns.count();
        }

        @Override
        public void copyTo(long first, MemorySegment target) {
            long wanted = target.byteSize() / Float.BYTES;
            int firstRow = Math.toIntExact(first / columns.count());
            int lastRow = Math.toIntExact((first + wanted - 1) / columns.count());
            IntStream.rangeClosed(firstRow, lastRow).parallel().forEach(row -> {
                long begin = Math.max(first, (long) row * columns.count());
                long end = Math.min(first + wanted, (row + 1L) * columns.count());
                long from = (long) rowOfTensor(row) * columns.of() + columns.first() + begin % columns.count();
                MemorySegment.copy(
                        tensor.data(),
                        Float.BYTES * from,
                        target,
                        Float.BYTES * (begin - first),
                        Float.BYTES * (end - begin));
            });
        }

        private int rowOfTensor(int row) {
            int left = row;
            for (Span run : rows) {
                if (left < run.count()) {
                    return run.first() + left;
                }
                left -= run.count();
            }
            throw new IndexOutOfBoundsException("row " + row + " of " + rows);
        }
    }

    /** As many zeros. */
    record Zeros(long elements) implements WeightValues {
        @Override
        public void copyTo(long first, MemorySegment target) {
            target.fill((byte) 0);
        }
    }
}
