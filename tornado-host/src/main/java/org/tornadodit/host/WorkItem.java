package org.tornadodit.host;

import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/** One work item of a group: where it is in the grid, and how it waits for the others. */
public final class WorkItem {
    /** Lanes of a warp. */
    private static final int WARP = 32;

    private static final ThreadLocal<@Nullable WorkItem> CURRENT = new ThreadLocal<>();

    /** What a work item is doing. */
    enum State {
        READY,
        AT_BARRIER,
        AT_EXCHANGE,
        AWAITING,
        DONE
    }

    private final LaunchGrid grid;
    private final LocalMemory localMemory;
    private final GroupStates groupStates;
    private final int index;
    private final int[] local;
    private final int[] group = new int[3];
    private int allocations;
    private @Nullable Coroutine coroutine;

    State state = State.READY;

    /** Set when the work item is resumed only to end. */
    boolean abandoned;

    /** How many consecutive work items take part in the exchange. */
    int lanes;

    /** What the lane brings to an exchange, and afterwards what it takes away. */
    @Nullable
    Object lane;

    /** What the exchange is; equal for all lanes that take part in the same one. */
    @Nullable
    Object exchange;

    /** How the exchange turns the lanes' values into their results. */
    @Nullable
    UnaryOperator<Object[]> combination;

    /** What it waits for, when {@link State#AWAITING}. */
    @Nullable
    BooleanSupplier condition;

    /** What it waits for or waited for last, in words. */
    Supplier<String> reason = () -> "nothing";

    WorkItem(LaunchGrid grid, LocalMemory localMemory, GroupStates groupStates, int linearIndex) {
        this.grid = grid;
        this.localMemory = localMemory;
        this.groupStates = groupStates;
        this.index = linearIndex;
        int[] size = grid.local();
        this.local =
                new int[] {linearIndex % size[0], linearIndex / size[0] % size[1], linearIndex / (size[0] * size[1])};
    }

    void start(int groupX, int groupY, int groupZ, @Nullable Coroutine runsIn) {
        group[0] = groupX;
        group[1] = groupY;
        group[2] = groupZ;
        allocations = 0;
        coroutine = runsIn;
        state = State.READY;
    }

    /** Index in the whole grid, dimension {@code d} (0 is x). */
    public int globalId(int d) {
        return group[d] * grid.local()[d] + local[d];
    }

    /** Index in the group. */
    public int localId(int d) {
        return local[d];
    }

    /** Index of the group. */
    public int groupId(int d) {
        return group[d];
    }

    /** Work items of the whole grid. */
    public int globalSize(int d) {
        return grid.global()[d];
    }

    /** Work items of the group. */
    public int localSize(int d) {
        return grid.local()[d];
    }

    /** Number of the work item in its group, x fastest. */
    public int index() {
        return index;
    }

    /** Work items of the group, all dimensions together. */
    public int groupSize() {
        return grid.groupSize();
    }

    /** Waits until all work items of the group have come to a barrier. */
    public void barrier() {
        suspend(State.AT_BARRIER, () -> "the group's barrier");
    }

    /**
     * Waits until {@code condition} holds, which another work item or {@link GroupState#advance} brings about; returns at
     * once if it does. It is asked again whenever the others have gone as far as they can.
     *
     * @param reason what is waited for, for the error when it never comes
     */
    public void await(BooleanSupplier condition, Supplier<String> reason) {
        if (!condition.getAsBoolean()) {
            this.condition = condition;
            suspend(State.AWAITING, reason);
        }
    }

    /** The group's state of that class, made by {@code factory} for the first work item that asks. */
    public <T extends GroupState> T groupState(Class<T> type, Supplier<T> factory) {
        return groupStates.get(type, factory);
    }

    /**
     * Exchanges values among the 32 lanes of a warp; all of them have to take part.
     *
     * @param kind names the exchange: equal for all lanes
     * @param combine makes the lanes' results of their values, lane 0 first
     */
    public Object exchange(Object value, Object kind, UnaryOperator<Object[]> combine) {
        return exchange(WARP, value, kind, combine);
    }

    /**
     * Exchanges values among {@code count} consecutive work items, from a multiple of {@code count} on; all of them have to
     * take part.
     *
     * @param kind names the exchange: equal for all lanes
     * @param combine makes the lanes' results of their values, in order
     */
    public Object exchange(int count, Object value, Object kind, UnaryOperator<Object[]> combine) {
        lanes = count;
        lane = value;
        exchange = kind;
        combination = combine;
        suspend(State.AT_EXCHANGE, () -> kind + " (all " + count + " lanes have to make the same call)");
        return Objects.requireNonNull(lane);
    }

    /** The work item that the calling code runs as; for methods that a kernel calls without its context. */
    public static WorkItem current() {
        WorkItem item = CURRENT.get();
        if (item == null) {
            throw new IllegalStateException("this code runs in a kernel with a KernelContext only");
        }
        return item;
    }

    /** To be called on the thread that goes on as this work item. */
    void enter() {
        CURRENT.set(this);
    }

    /** To be called when the thread goes on as none. */
    static void leave() {
        CURRENT.remove();
    }

    private void suspend(State waiting, Supplier<String> what) {
        Coroutine own = coroutine;
        if (own == null) {
            throw new TornadoRuntimeException("deadlock: this work item waits for " + what.get()
                    + " that another one of its group, now ended, never came to; a GPU hangs here or goes on with wrong"
                    + " values");
        }
        reason = what;
        state = waiting;
        own.suspend();
        if (abandoned) {
            throw new AbandonedError();
        }
    }

    /** Unwinds a kernel that nobody will finish, because another work item has failed. */
    private static final class AbandonedError extends Error {
        private static final long serialVersionUID = 1L;

        AbandonedError() {
            super("the launch has failed elsewhere", null, false, false);
        }
    }

    /** The group's next local array, the same for every work item that has made as many allocations. */
    public Object localArray(Class<?> elementType, int length, int elementBytes) {
        return localMemory.array(allocations++, elementType, length, elementBytes);
    }

    @Override
    public String toString() {
        return "work item global (" + globalId(0) + ", " + globalId(1) + ", " + globalId(2) + "), local (" + local[0]
                + ", " + local[1] + ", " + local[2] + "), group (" + group[0] + ", " + group[1] + ", " + group[2]
                + ")";
    }
}
