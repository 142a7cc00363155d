package org.tornadodit.host;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

/**
 * A coroutine on the JDK's own continuations, the mechanism below virtual threads: a tenth of a microsecond a switch.
 * Needs {@code --add-exports=java.base/jdk.internal.vm=ALL-UNNAMED}.
 */
final class ContinuationCoroutine extends Coroutine {
    private static final @Nullable Internals INTERNALS = Internals.find();

    private final Object continuation;
    private boolean started;

    ContinuationCoroutine(Runnable body) {
        try {
            this.continuation = internals().create.invoke(internals().scope, body);
        } catch (Throwable e) {
            throw new IllegalStateException("the JVM refuses a continuation", e);
        }
    }

    static boolean isAvailable() {
        return INTERNALS != null;
    }

    private static Internals internals() {
        Internals found = INTERNALS;
        if (found == null) {
            throw new IllegalStateException("jdk.internal.vm is not exported to this code");
        }
        return found;
    }

    @Override
    boolean hasStarted() {
        return started;
    }

    @Override
    void resume() {
        started = true;
        try {
            internals().run.invoke(continuation);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    void suspend() {
        try {
            boolean resumed = (boolean) internals().yield.invoke(internals().scope);
            if (!resumed) {
                throw new IllegalStateException("a work item waits inside a native call and cannot be suspended");
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Handles to {@code jdk.internal.vm.Continuation}, typed as Object so that callers need no access to it. */
    private record Internals(Object scope, MethodHandle create, MethodHandle run, MethodHandle yield) {
        static @Nullable Internals find() {
            try {
                MethodHandles.Lookup lookup = MethodHandles.lookup();
                Class<?> continuation = Class.forName("jdk.internal.vm.Continuation");
                Class<?> scopeType = Class.forName("jdk.internal.vm.ContinuationScope");
                Object scope = lookup.findConstructor(scopeType, MethodType.methodType(void.class, String.class))
                        .invoke("tornado-host work item");
                return new Internals(
                        scope,
                        lookup.findConstructor(
                                        continuation, MethodType.methodType(void.class, scopeType, Runnable.class))
                                .asType(MethodType.methodType(Object.class, Object.class, Runnable.class)),
                        lookup.findVirtual(continuation, "run", MethodType.methodType(void.class))
                                .asType(MethodType.methodType(void.class, Object.class)),
                        lookup.findStatic(continuation, "yield", MethodType.methodType(boolean.class, scopeType))
                                .asType(MethodType.methodType(boolean.class, Object.class)));
            } catch (Throwable refused) {
                return null;
            }
        }
    }
}
