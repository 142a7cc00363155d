package org.tornadodit.host;

import java.lang.annotation.Retention;
import java.lang.annotation.Target;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds what code compiled against one class would miss in another of the same name: members that users can reach,
 * types, thrown exceptions, values of constants (javac copies them into the user's class), annotation targets.
 */
final class ApiComparison {
    private ApiComparison() {}

    /** What {@code ours} has and {@code theirs} lacks or has otherwise, one line each. */
    static List<String> missing(Class<?> ours, Class<?> theirs) {
        List<String> differences = new ArrayList<>();
        compare(differences, ours, "kind", kind(ours), kind(theirs));
        if (ours.isAnnotation()) {
            compare(differences, ours, "annotations", annotations(ours), annotations(theirs));
        }
        if (Throwable.class.isAssignableFrom(ours)) {
            compare(differences, ours, "superclass", superclass(ours), superclass(theirs));
        }
        lines(ours).forEach(line -> {
            if (!lines(theirs).contains(line)) {
                differences.add(ours.getName() + ": " + line);
            }
        });
        return differences;
    }

    private static void compare(List<String> differences, Class<?> type, String what, String ours, String theirs) {
        if (!ours.equals(theirs)) {
            differences.add(type.getName() + ": " + what + " " + ours + ", there " + theirs);
        }
    }

    private static String kind(Class<?> type) {
        return type.isAnnotation() ? "annotation" : type.isInterface() ? "interface" : type.isEnum() ? "enum" : "class";
    }

    private static String annotations(Class<?> type) {
        Target target = type.getAnnotation(Target.class);
        Retention retention = type.getAnnotation(Retention.class);
        return (target == null ? "" : new TreeSet<>(Arrays.asList(target.value())).toString())
                + (retention == null ? "" : retention.value());
    }

    private static String superclass(Class<?> type) {
        Class<?> parent = type.getSuperclass();
        return parent == null ? "" : parent.getName();
    }

    private static TreeSet<String> lines(Class<?> type) {
        TreeSet<String> lines = new TreeSet<>();
        for (Method method : type.getMethods()) {
            if (method.getDeclaringClass() != Object.class && !method.isBridge()) {
                lines.add(line(method, method.getReturnType()));
            }
        }
        for (Constructor<?> constructor : type.getConstructors()) {
            lines.add(line(constructor, null));
        }
        for (Field field : type.getFields()) {
            lines.add((Modifier.isStatic(field.getModifiers()) ? "static " : "")
                    + (Modifier.isFinal(field.getModifiers()) ? "final " : "")
                    + field.getType().getName() + " " + field.getName() + constant(field));
        }
        return lines;
    }

    private static String line(Executable member, @Nullable Class<?> result) {
        return (Modifier.isStatic(member.getModifiers()) ? "static " : "")
                + (result == null ? "" : result.getName() + " " + member.getName())
                + "<" + member.getTypeParameters().length + ">"
                + Arrays.stream(member.getParameterTypes())
                        .map(Class::getName)
                        .collect(Collectors.joining(", ", "(", ")"))
                + Arrays.stream(member.getExceptionTypes())
                        .map(Class::getName)
                        .sorted()
                        .collect(Collectors.joining(", ", " throws ", ""));
    }

    private static String constant(Field field) {
        if (!Modifier.isStatic(field.getModifiers()) || !field.getType().isPrimitive()) {
            return "";
        }
        try {
            return " = " + field.get(null);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
