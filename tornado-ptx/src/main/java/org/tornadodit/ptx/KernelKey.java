package org.tornadodit.ptx;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import org.tornadodit.kernels.ptx.AtLaunch;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * What decides a kernel's code, as text. TornadoVM compiles numbers that a task is given into its kernel, but for those that
 * it gets at its launch, and the sizes of arrays where a kernel asks for them.
 */
final class KernelKey {

    private KernelKey() {}

    /**
     * The key of a task's kernel.
     *
     * @param origin what decides the code of all kernels
     * @param target what decides it for a device
     * @param sizes whether the sizes of arrays decide the code
     * @param launch what else TornadoVM knows of the task
     * @return empty when there is an argument of which it is not known what it does to the code
     */
    static Optional<String> of(
            String origin, String target, Method kernel, Object[] arguments, boolean sizes, String launch) {
        StringBuilder key = new StringBuilder();
        key.append(origin)
                .append('\n')
                .append(target)
                .append('\n')
                .append(signature(kernel))
                .append('\n')
                .append(launch)
                .append('\n');
        for (int i = 0; i < arguments.length; i++) {
            AtLaunch atLaunch = LaunchArguments.of(kernel, i, arguments[i]);
            Optional<String> described = atLaunch == null
                    ? described(arguments[i], sizes)
                    : Optional.of("int at launch, a multiple of " + atLaunch.multipleOf());
            if (described.isEmpty()) {
                return Optional.empty();
            }
            key.append(described.get()).append('\n');
        }
        return Optional.of(key.toString());
    }

    /** Names a method among all others. */
    static String signature(Method method) {
        return method.getDeclaringClass().getName()
                + " " + method.getName()
                + Arrays.stream(method.getParameterTypes())
                        .map(Class::getName)
                        .collect(Collectors.joining(",", "(", ")"));
    }

    private static Optional<String> described(Object argument, boolean sizes) {
        return switch (argument) {
            case Integer i -> Optional.of("int " + i);
            case Long l -> Optional.of("long " + l);
            case Float f -> Optional.of("float " + Integer.toHexString(Float.floatToRawIntBits(f)));
            case Double d -> Optional.of("double " + Long.toHexString(Double.doubleToRawLongBits(d)));
            case Boolean b -> Optional.of("boolean " + b);
            case TornadoNativeArray array ->
                Optional.of(array.getClass().getName() + (sizes ? " " + array.getSize() : ""));
            case KernelContext context when context.getClass() == KernelContext.class -> Optional.of("context");
            default -> Optional.empty();
        };
    }
}
