package org.tornadodit.kernels;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * One way to run a kernel: values of the parameters of its tile and its launch. A kernel lists its variants in a {@code
 * VARIANTS} of its own, the default first; one more line there, and the autotuner tries it.
 *
 * @param parameters by name, in the order that they were given
 */
public record Variant(Map<String, Integer> parameters) {

    /** Of a kernel that can be run in one way only. */
    public static final Variant ONLY = new Variant(Map.of());

    public Variant {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }

    public static Variant of(String name, int value) {
        return new Variant(Map.of(name, value));
    }

    /** This variant with one parameter more, or with another value of one that it has. */
    public Variant and(String name, int value) {
        Map<String, Integer> more = new LinkedHashMap<>(parameters);
        more.put(name, value);
        return new Variant(more);
    }

    /**
     * The value of a parameter.
     *
     * @throws IllegalArgumentException when the variant has no such parameter
     */
    public int get(String name) {
        Integer value = parameters.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no parameter " + name + " in the variant " + this);
        }
        return value;
    }

    /** As people read it, and as a cache of choices names it: {@code features 4, together 1}. */
    @Override
    public String toString() {
        return parameters.isEmpty()
                ? "only"
                : parameters.entrySet().stream()
                        .map(parameter -> parameter.getKey() + " " + parameter.getValue())
                        .collect(Collectors.joining(", "));
    }
}
