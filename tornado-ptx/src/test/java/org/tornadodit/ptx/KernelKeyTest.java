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
import org.tornadodit.kernels.ptx.AtLaunch;
import org.tornadodit.kernels.ptx.KernelCompiler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class KernelKeyTest {

    static void kernel(KernelContext context, FloatArray array, int number) {}

    static void kernel(KernelContext context, IntArray array, int number) {}

    static void general(KernelContext context, FloatArray array, @AtLaunch int number) {}

    static void ofTiles(KernelContext context, FloatArray array, @AtLaunch(multipleOf = 128) int number) {}

    static void other(KernelContext context, FloatArray array, int number) {}

    private static Method method(String name, Class<?> array) throws NoSuchMethodException {
        return KernelKeyTest.class.getDeclaredMethod(name, KernelContext.class, array, int.class);
    }

    @Test
    void whatDecidesTheCodeDecidesTheKey() throws Exception {
        Method kernel = method("kernel", FloatArray.class);
        Object[] arguments = {new KernelContext(), new FloatArray(8), 5};
        List<Optional<String>> keys = new ArrayList<>();
        keys.add(KernelKey.of("origin", "target", kernel, arguments, true, "launch"));
        keys.add(KernelKey.of("another origin", "target", kernel, arguments, true, "launch"));
        keys.add(KernelKey.of("origin", "another target", kernel, arguments, true, "launch"));
        keys.add(KernelKey.of("origin", "target", method("kernel", IntArray.class), arguments, true, "launch"));
        keys.add(KernelKey.of("origin", "target", method("other", FloatArray.class), arguments, true, "launch"));
        keys.add(KernelKey.of("origin", "target", kernel, arguments, true, "another launch"));
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
            keys.add(KernelKey.of("origin", "target", kernel, others, true, "launch"));
        }
        Set<Optional<String>> different = new HashSet<>(keys);
        assertEquals(keys.size(), different.size());
        assertFalse(different.contains(Optional.empty()));
    }

    @Test
    void whatDoesNotDecideTheCodeDoesNotDecideTheKey() throws Exception {
        Method kernel = method("kernel", FloatArray.class);
        assertEquals(
                KernelKey.of("o", "t", kernel, new Object[] {new KernelContext(), new FloatArray(8), 5}, true, "l"),
                KernelKey.of("o", "t", kernel, new Object[] {new KernelContext(), new FloatArray(8), 5}, true, "l"));
    }

    @Test
    void sizesCountWhereTheyAreRead() throws Exception {
        Method kernel = method("kernel", FloatArray.class);
        Object[] eight = {new KernelContext(), new FloatArray(8), 5};
        Object[] nine = {new KernelContext(), new FloatArray(9), 5};
        assertEquals(
                KernelKey.of("o", "t", kernel, eight, false, "l"), KernelKey.of("o", "t", kernel, nine, false, "l"));
        assertNotEquals(
                KernelKey.of("o", "t", kernel, eight, true, "l"), KernelKey.of("o", "t", kernel, nine, true, "l"));
        Object[] ints = {new KernelContext(), new IntArray(8), 5};
        assertNotEquals(
                KernelKey.of("o", "t", kernel, eight, false, "l"), KernelKey.of("o", "t", kernel, ints, false, "l"));
    }

    @Test
    void aPositiveNumberAtLaunchDoesNotCount() throws Exception {
        Method kernel = method("general", FloatArray.class);
        List<Optional<String>> keys = new ArrayList<>();
        for (int number : new int[] {1, 5, Integer.MAX_VALUE, 0, -1}) {
            Object[] arguments = {new KernelContext(), new FloatArray(8), number};
            keys.add(KernelKey.of("o", "t", kernel, arguments, true, "l"));
        }
        assertEquals(keys.get(0), keys.get(1));
        assertEquals(keys.get(0), keys.get(2));
        assertEquals(3, new HashSet<>(keys).size(), "those that the compiler is not told to be positive");
    }

    @Test
    void aMultipleAtLaunchDoesNotCount() throws Exception {
        Method kernel = method("ofTiles", FloatArray.class);
        List<Optional<String>> keys = new ArrayList<>();
        for (int number : new int[] {128, 1 << 30, 127, 64, 0, -128}) {
            Object[] arguments = {new KernelContext(), new FloatArray(8), number};
            keys.add(KernelKey.of("o", "t", kernel, arguments, true, "l"));
        }
        assertEquals(keys.get(0), keys.get(1));
        assertEquals(5, new HashSet<>(keys).size());
    }

    @Test
    void anUnknownArgumentHasNoKey() throws Exception {
        Method kernel = method("kernel", FloatArray.class);
        assertEquals(Optional.empty(), KernelKey.of("o", "t", kernel, new Object[] {new Object()}, true, "l"));
    }

    @Test
    void theDigestIsThatOfTheClasses() throws Exception {
        String digest = CodeOrigin.digest(KernelCompiler.class, KeptKernels.class);
        assertEquals(64, digest.length());
        assertEquals(digest, CodeOrigin.digest(KernelCompiler.class, KeptKernels.class));
        assertNotEquals(digest, CodeOrigin.digest(KernelCompiler.class));
    }
}
