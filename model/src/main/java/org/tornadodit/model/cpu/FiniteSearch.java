package org.tornadodit.model.cpu;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Looks at tensor after tensor for the first that holds NaN or infinity. */
final class FiniteSearch {
    private @Nullable String found;

    /** Looks at the first {@code count} values, unless something was found before. */
    void look(String tensor, float[] values, int count) {
        if (found != null) {
            return;
        }
        for (int i = 0; i < count; i++) {
            if (!Float.isFinite(values[i])) {
                find(tensor);
                return;
            }
        }
    }

    /** Notes what was found, unless something was before. */
    void find(String what) {
        if (found == null) {
            found = what;
        }
    }

    /** In words; empty when all was finite. */
    Optional<String> found() {
        return Optional.ofNullable(found);
    }
}
