package org.tornadodit.kernels.ptx;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * An {@code int} parameter of a kernel, at least 1, that is not compiled into it where the module tornado-ptx compiles it:
 * the kernel gets it at each launch, so that one kernel serves all values. For what depends on the samples of a batch, and
 * on nothing whose value shapes the code: TornadoVM compiles all other numbers in.
 */
@Documented
@Target(ElementType.PARAMETER)
@Retention(RetentionPolicy.RUNTIME)
public @interface AtLaunch {
    /** A power of two of which the value has to be a multiple, and is known to be; other values are compiled in. */
    int multipleOf() default 1;
}
