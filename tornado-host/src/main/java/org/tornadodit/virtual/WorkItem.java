package org.tornadodit.virtual;

import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** One work item of a group: where it is in the grid, and how it waits for the others. */
public abstract class WorkItem {
    /** Lanes of a warp. */
    private static final int WARP = 32;

    private static final ThreadLocal<@Nullable WorkItem> CURRENT = new ThreadLocal<>();

    /** Index in the whole grid, dimension {@code d} (0 is x). */
    public abstract int globalId(int d);

    /** Index in the group. */
    public abstract int localId(int d);

    /** Index of the group. */
    public abstract int groupId(int d);

    /** Work items of the whole grid. */
    public abstract int globalSize(int d);

    /** Work items of the group. */
    public abstract int localSize(int d);

    /** Number of the work item in its group, x fastest. */
    public abstract int index();

    /** Work items of the group, all dimensions together. */
    public abstract int groupSize();

    /** Waits until all work items of the group have come to a barrier. */
    public abstract void barrier();

    /**
     * Waits until {@code condition} holds, which another work item or {@link GroupState#advance} brings about; returns at
     * once if it does. It is asked again whenever the others have gone as far as they can.
     *
     * @param reason what is waited for, for the error when it never comes
     */
    public abstract void await(BooleanSupplier condition, Supplier<String> reason);

    /** The group's state of that class, made by {@code factory} for the first work item that asks. */
    public abstract <T extends GroupState> T groupState(Class<T> type, Supplier<T> factory);

    /**
     * Exchanges values among the 32 lanes of a warp; all of them have to take part.
     *
     * @param kind names the exchange: equal for all lanes
     * @param combine makes the lanes' results of their values, lane 0 first
     */
    public final Object exchange(Object value, Object kind, UnaryOperator<Object[]> combine) {
        return exchange(WARP, value, kind, combine);
    }

    /**
     * Exchanges values among {@code count} consecutive work items, from a multiple of {@code count} on; all of them have to
     * take part.
     *
     * @param kind names the exchange: equal for all lanes
     * @param combine makes the lanes' results of their values, in order
     */
    public abstract Object exchange(int count, Object value, Object kind, UnaryOperator<Object[]> combine);

    /** The work item that the calling code runs as; for methods that a kernel calls without its context. */
    public static WorkItem current() {
        WorkItem item = CURRENT.get();
        if (item == null) {
            throw new IllegalStateException("this code runs in a kernel with a KernelContext only");
        }
        return item;
    }

    /** To be called on the thread that goes on as this work item. */
    public final void enter() {
        CURRENT.set(this);
    }

    /** To be called when the thread goes on as none. */
    public static void leave() {
        CURRENT.remove();
    }

    /** The group's next local array, the same for every work item that has made as many allocations. */
    public abstract Object localArray(Class<?> elementType, int length, int elementBytes);
}
