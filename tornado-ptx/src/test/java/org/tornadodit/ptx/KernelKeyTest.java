package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.ptx.KernelCompiler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class KernelKeyTest {

    static void kernel(KernelContext context, FloatArray array, int number) {}

    static void kernel(KernelContext context, IntArray array, int number) {}

    static void other(KernelContext context, FloatArray array, int number) {}

    private static Method method(String name, Class<?> array) throws NoSuchMethodException {
        return KernelKeyTest.class.getDeclaredMethod(name, KernelContext.class, array, int.class);
    }

    @Test
    void whatDecidesTheCodeDecidesTheKey() throws Exception {
        Method kernel = method("kernel", FloatArray.class);
        Object[] arguments = {new KernelContext(), new FloatArray(8), 5};
        List<Optional<String>> keys = new ArrayList<>();
        keys.add(KernelKey.of("origin", "target", kernel, arguments, "launch"));
        keys.add(KernelKey.of("another origin", "target", kernel, arguments, "launch"));
        keys.add(KernelKey.of("origin", "another target", kernel, arguments, "launch"));
        keys.add(KernelKey.of("origin", "target", method("kernel", IntArray.class), arguments, "launch"));
        keys.add(KernelKey.of("origin", "target", method("other", FloatArray.class), arguments, "launch"));
        keys.add(KernelKey.of("origin", "target", kernel, arguments, "another launch"));
        for (Object[] others : new Object[][] {
            {new KernelContext(), new FloatArray(9), 5},
            {new KernelContext(), new IntArray(8), 5},
            {new KernelContext(), new FloatArray(8), 6},
            {new KernelContext(), new FloatArray(8), 5L},
            {new KernelContext(), new FloatArray(8), 5f},
            {new KernelContext(), new FloatArray(8), 0f},
            {new KernelContext(), new FloatArray(8), -0f},
            {new KernelContext(), new FloatArray(8), -5},
        }) {
            keys.add(KernelKey.of("origin", "target", kernel, others, "launch"));
        }
        Set<Optional<String>> different = new HashSet<>(keys);
        assertEquals(keys.size(), different.size());
        assertFalse(different.contains(Optional.empty()));
    }

    @Test
    void whatDoesNotDecideTheCodeDoesNotDecideTheKey() throws Exception {
        Method kernel = method("kernel", FloatArray.class);
        assertEquals(
                KernelKey.of("o", "t", kernel, new Object[] {new KernelContext(), new FloatArray(8), 5}, "l"),
                KernelKey.of("o", "t", kernel, new Object[] {new KernelContext(), new FloatArray(8), 5}, "l"));
    }

    @Test
    void anUnknownArgumentHasNoKey() throws Exception {
        Method kernel = method("kernel", FloatArray.class);
        assertEquals(Optional.empty(), KernelKey.of("o", "t", kernel, new Object[] {new Object()}, "l"));
    }

    @Test
    void theDigestIsThatOfTheClasses() throws Exception {
        String digest = CodeOrigin.digest(KernelCompiler.class, KeptKernels.class);
        assertEquals(64, digest.length());
        assertEquals(digest, CodeOrigin.digest(KernelCompiler.class, KeptKernels.class));
        assertNotEquals(digest, CodeOrigin.digest(KernelCompiler.class));
    }
}
