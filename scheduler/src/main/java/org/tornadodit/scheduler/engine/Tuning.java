package org.tornadodit.scheduler.engine;

import java.util.List;
import java.util.Map;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.Variant;

/**
 * Which variant serves which operation: what the autotuner found, or nothing, which means the defaults. Immutable.
 *
 * @param choices the variant for an operation at a shape
 */
public record Tuning(Map<OperationShape, Variant> choices) {

    /** The defaults for everything. */
    public static final Tuning NONE = new Tuning(Map.of());

    public Tuning {
        choices = Map.copyOf(choices);
    }

    /**
     * The variant for an operation: the chosen one where the kernel still has it, else the default.
     *
     * @param variants the kernel's, the default first
     */
    public Variant choose(OperationShape operation, List<Variant> variants) {
        Variant chosen = choices.get(operation);
        return chosen != null && variants.contains(chosen) ? chosen : variants.getFirst();
    }
}
