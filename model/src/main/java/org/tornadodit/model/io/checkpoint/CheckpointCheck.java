package org.tornadodit.model.io.checkpoint;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.TensorSpec;

/** Does a checkpoint hold exactly what a model needs? As {@code load_state_dict(strict=True)} asks. */
public final class CheckpointCheck {

    private static final int LISTED = 5;

    private CheckpointCheck() {}

    /**
     * Passes when the checkpoint has each expected tensor in its shape, and no others but ignored ones. Reads no data.
     *
     * @param ignored names that may be there without being expected
     * @throws CheckpointException naming the file and the first five missing and surplus tensors, or the first tensor of
     *     another shape
     */
    public static void requireExactly(Checkpoint checkpoint, List<TensorSpec> expected, Predicate<String> ignored) {
        List<String> missing = new ArrayList<>();
        Set<String> known = new HashSet<>();
        for (TensorSpec spec : expected) {
            known.add(spec.name());
            if (!checkpoint.names().contains(spec.name())) {
                missing.add(spec.name());
            }
        }
        List<String> surplus = new ArrayList<>();
        for (String name : checkpoint.names()) {
            if (!known.contains(name) && !ignored.test(name)) {
                surplus.add(name);
            }
        }
        if (!missing.isEmpty() || !surplus.isEmpty()) {
            List<String> parts = new ArrayList<>();
            if (!missing.isEmpty()) {
                parts.add("missing " + list(missing));
            }
            if (!surplus.isEmpty()) {
                parts.add("surplus " + list(surplus));
            }
            throw Refusal.of(checkpoint.path(), "not the tensors of this model: " + String.join("; ", parts));
        }
        for (TensorSpec spec : expected) {
            Shape found = checkpoint.shape(spec.name());
            if (!found.equals(spec.shape())) {
                throw Refusal.of(
                        checkpoint.path(), Refusal.tensor(spec.name()), "shape " + spec.shape(), "shape " + found);
            }
        }
    }

    /**
     * Converts tensors on all cores, so that what asks for them afterwards finds them ready, and begins to check them:
     * {@link Checkpoint#requireIntact} tells whether one is damaged.
     *
     * @param tensors those that the checkpoint lacks are left out
     */
    public static void readAll(Checkpoint checkpoint, List<TensorSpec> tensors) {
        List<String> names = tensors.stream()
                .map(TensorSpec::name)
                .filter(checkpoint.names()::contains)
                .toList();
        checkpoint.beginChecks(names);
        names.parallelStream().forEach(checkpoint::tensor);
    }

    private static String list(List<String> names) {
        StringBuilder list = new StringBuilder();
        for (String name : names.subList(0, Math.min(LISTED, names.size()))) {
            list.append(list.isEmpty() ? "" : ", ").append(Refusal.printable(name));
        }
        if (names.size() > LISTED) {
            list.append(" and ").append(names.size() - LISTED).append(" more");
        }
        return list.toString();
    }
}
