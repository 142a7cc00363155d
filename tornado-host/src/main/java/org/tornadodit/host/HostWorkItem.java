package org.tornadodit.host;

import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.tornadodit.virtual.GroupState;
import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/** A work item that runs in a coroutine, or, where none of its group waits, as a call. */
final class HostWorkItem extends WorkItem {

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

    HostWorkItem(LaunchGrid grid, LocalMemory localMemory, GroupStates groupStates, int linearIndex) {
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

    @Override
    public int globalId(int d) {
        return group[d] * grid.local()[d] + local[d];
    }

    @Override
    public int localId(int d) {
        return local[d];
    }

    @Override
    public int groupId(int d) {
        return group[d];
    }

    @Override
    public int globalSize(int d) {
        return grid.global()[d];
    }

    @Override
    public int localSize(int d) {
        return grid.local()[d];
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public int groupSize() {
        return grid.groupSize();
    }

    @Override
    public void barrier() {
        suspend(State.AT_BARRIER, () -> "the group's barrier");
    }

    @Override
    public void await(BooleanSupplier condition, Supplier<String> reason) {
        if (!condition.getAsBoolean()) {
            this.condition = condition;
            suspend(State.AWAITING, reason);
        }
    }

    @Override
    public <T extends GroupState> T groupState(Class<T> type, Supplier<T> factory) {
        return groupStates.get(type, factory);
    }

    @Override
    public Object exchange(int count, Object value, Object kind, UnaryOperator<Object[]> combine) {
        lanes = count;
        lane = value;
        exchange = kind;
        combination = combine;
        suspend(State.AT_EXCHANGE, () -> kind + " (all " + count + " lanes have to make the same call)");
        return Objects.requireNonNull(lane);
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

    @Override
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
