package org.tornadodit.serve.api;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the fields of an object by type; a {@link Refusal} names the field that is wrong. A null is a field that is not there. */
final class JsonFields {
    /** Characters of a value that a message repeats. */
    private static final int SHOWN = 60;

    private final JsonObject json;

    JsonFields(JsonObject json) {
        this.json = json;
    }

    /** @throws Refusal when there is a field of another name */
    void requireKnown(Set<String> names) {
        for (String name : json.keySet()) {
            if (!names.contains(name)) {
                String shown = cut(name);
                throw Refusal.of(shown, "unknown_parameter", "unknown parameter \"%s\"".formatted(shown));
            }
        }
    }

    @Nullable
    JsonElement element(String name) {
        JsonElement value = json.get(name);
        return value == null || value.isJsonNull() ? null : value;
    }

    private @Nullable JsonPrimitive primitive(String name, String wanted) {
        JsonElement value = element(name);
        if (value == null) {
            return null;
        }
        if (!value.isJsonPrimitive()) {
            throw wrongType(name, value, wanted);
        }
        return value.getAsJsonPrimitive();
    }

    static Refusal wrongType(String name, JsonElement value, String wanted) {
        return Refusal.of(name, "wrong_type", "%s is %s, expected %s".formatted(name, shown(value), wanted));
    }

    static String shown(JsonElement value) {
        if (value.isJsonObject()) {
            return "an object";
        }
        if (value.isJsonArray()) {
            return "a list";
        }
        return cut(value.toString());
    }

    /** As much of a text as a message repeats. */
    static String cut(String text) {
        return text.length() > SHOWN ? text.substring(0, SHOWN) + "..." : text;
    }

    @Nullable
    String string(String name) {
        JsonPrimitive value = primitive(name, "a string");
        if (value == null) {
            return null;
        }
        if (!value.isString()) {
            throw wrongType(name, value, "a string");
        }
        return value.getAsString();
    }

    boolean bool(String name) {
        JsonPrimitive value = primitive(name, "true or false");
        if (value == null) {
            return false;
        }
        if (!value.isBoolean()) {
            throw wrongType(name, value, "true or false");
        }
        return value.getAsBoolean();
    }

    /** @return null where there is none */
    @Nullable
    Double number(String name) {
        JsonPrimitive value = primitive(name, "a number");
        if (value == null) {
            return null;
        }
        if (!value.isNumber()) {
            throw wrongType(name, value, "a number");
        }
        double number = value.getAsDouble();
        if (Double.isInfinite(number)) {
            throw Refusal.of(name, "out_of_range", "%s is %s, too large".formatted(name, shown(value)));
        }
        return number;
    }

    /** @return null where there is none */
    @Nullable
    Long whole(String name, long least, long most) {
        JsonPrimitive value = primitive(name, "a whole number");
        return value == null ? null : whole(name, value, least, most);
    }

    /** @param value of a field, or an element of its list */
    static long whole(String name, JsonElement value, long least, long most) {
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
            throw wrongType(name, value, "a whole number");
        }
        BigInteger number;
        try {
            BigDecimal decimal = value.getAsBigDecimal();
            if (Math.abs((long) decimal.scale()) > 400) { // of a size that no double has either
                throw new ArithmeticException();
            }
            number = decimal.toBigIntegerExact();
        } catch (ArithmeticException | NumberFormatException e) {
            throw wrongType(name, value, "a whole number");
        }
        if (number.compareTo(BigInteger.valueOf(least)) < 0 || number.compareTo(BigInteger.valueOf(most)) > 0) {
            throw Refusal.of(
                    name,
                    "out_of_range",
                    most == Long.MAX_VALUE
                            ? "%s is %s, expected -2^63 to 2^63 - 1".formatted(name, shown(value))
                            : "%s is %s, expected %d to %d".formatted(name, shown(value), least, most));
        }
        return number.longValueExact();
    }
}
