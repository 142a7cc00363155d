package org.tornadodit.host;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.tornadodit.virtual.GroupState;

/** The states of one work group, one of each class. */
final class GroupStates {
    private final List<GroupState> states = new ArrayList<>();

    void reset() {
        states.clear();
    }

    boolean isEmpty() {
        return states.isEmpty();
    }

    <T extends GroupState> T get(Class<T> type, Supplier<T> factory) {
        for (GroupState state : states) {
            if (state.getClass() == type) {
                return type.cast(state);
            }
        }
        T created = factory.get();
        states.add(created);
        return created;
    }

    /** True when something happened. */
    boolean advance() {
        return states.stream().anyMatch(GroupState::advance);
    }

    /** Waits until other groups or devices have done something; false when they are not to do anything. */
    boolean awaitOthers() {
        return states.stream().anyMatch(GroupState::awaitOthers);
    }

    void finish() {
        states.forEach(GroupState::finish);
    }
}
