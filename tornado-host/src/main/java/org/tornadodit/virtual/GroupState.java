package org.tornadodit.virtual;

/**
 * What code that kernels call keeps for one work group, from {@link WorkItem#groupState}: memory by address, barriers,
 * copies under way. Every group gets a new one.
 */
public interface GroupState {
    /**
     * Called when no work item of the group can go on: time for what happens without one, like the arrival of a copy.
     *
     * @return false when there is nothing left to happen
     */
    default boolean advance() {
        return false;
    }

    /**
     * Called when no work item of the group can go on, and nothing happens without one: waits for what other groups and devices do.
     *
     * @return false when the group waits for nothing of theirs
     */
    default boolean awaitOthers() {
        return false;
    }

    /** Called when all work items have ended; throws when something was left unfinished. */
    default void finish() {}
}
