package org.tornadodit.scheduler.tune;

import java.util.Map;
import java.util.function.Function;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.KernelCase;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** A kernel that doubles its input, with variants that are wrong in ways that a check may miss. */
public final class PlantedKernels {
    static final int RIGHT = 0;
    /** Wrong in one element of one shape. */
    static final int POISONED = 1;
    /** Leaves the second half as it was. */
    static final int HALF = 2;
    /** Right within the bound, other in the last bit. */
    static final int LAST_BIT = 3;
    /** Right the first time only. */
    static final int ONCE = 4;
    /** Does not run. */
    static final int FAILING = 5;

    static final int POISONED_SIZE = 5_000;

    private PlantedKernels() {}

    public static void twice(
            KernelContext context, FloatArray in, IntArray runs, FloatArray out, int elements, int kind) {
        int i = context.globalIdx;
        if (i < elements) {
            float value = 2f * in.get(i);
            if (kind == POISONED && elements == POISONED_SIZE && i == 1_234) {
                value = value + 1f;
            }
            if (kind == LAST_BIT && i == 7) {
                value = value * 1.0000001f;
            }
            if (kind == ONCE && i == 11) {
                if (runs.get(0) > 0) {
                    value = 0f;
                }
                runs.set(0, runs.get(0) + 1);
            }
            if (kind != HALF || i < elements / 2) {
                out.set(i, value);
            }
        }
    }

    /** The case of any kind, on the same arrays; the variant's {@code kind} says which. */
    static Function<Variant, KernelCase> cases(int elements) {
        FloatArray in = new FloatArray(elements);
        for (int i = 0; i < elements; i++) {
            in.set(i, 1f + i % 1000);
        }
        FloatArray out = new FloatArray(elements);
        return variant -> {
            int kind = variant.get("kind");
            if (kind == FAILING) {
                throw new IllegalStateException("a kernel that does not compile");
            }
            KernelContext context = new KernelContext();
            IntArray runs = new IntArray(1);
            return new KernelCase(
                    "twice",
                    String.valueOf(elements),
                    new Object[] {in, runs},
                    graph -> graph.task("twice", PlantedKernels::twice, context, in, runs, out, elements, kind),
                    Map.of("twice", Launch.elementwise(elements)),
                    out,
                    i -> 2.0 * in.get(i),
                    1e-6,
                    0,
                    8.0 * elements);
        };
    }
}
