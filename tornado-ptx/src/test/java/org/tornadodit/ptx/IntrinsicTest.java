package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.ptx.Halves;
import org.tornadodit.kernels.ptx.Instruction;
import org.tornadodit.kernels.ptx.Registers;

/** Every instruction's annotation can be read. */
class IntrinsicTest {

    private static Intrinsic intrinsic(Method method) {
        return intrinsic(method, 9);
    }

    private static Intrinsic intrinsic(Method method, int major) {
        Instruction instruction = method.getAnnotation(Instruction.class);
        if (instruction == null) {
            throw new IllegalArgumentException(method + " has no annotation");
        }
        return Intrinsic.of(
                method.getDeclaringClass().getSimpleName() + "." + method.getName(),
                Arrays.stream(method.getParameterTypes())
                        .map(Class::getTypeName)
                        .toList(),
                method.getReturnType().getTypeName(),
                instruction,
                major);
    }

    @Test
    void everyInstructionIsRead() throws Exception {
        List<Method> methods = instructions();
        assertTrue(methods.size() > 40, "only " + methods.size() + " instructions were found");
        for (Method method : methods) {
            Intrinsic intrinsic = intrinsic(method);
            String text = intrinsic.template().write(new Numbers());
            assertEquals(braces(text, '{'), braces(text, '}'), method + ": " + text);
            assertTrue(text.indexOf('$') < 0, method + ": " + text);
            String volta = intrinsic(method, 7).template().write(new Numbers());
            assertEquals(braces(volta, '{'), braces(volta, '}'), method + ": " + volta);
            assertTrue(volta.indexOf('$') < 0, method + ": " + volta);
        }
    }

    /** They are of capability 8 in the text for others. */
    @Test
    void capabilitySevenHasItsOwnTexts() throws Exception {
        Method pack = Halves.class.getMethod("pack", float.class, float.class);
        assertEquals(
                "{ .reg .b32 %t; cvt.rn.f16x2.f32 %t, a1, a0; mov.b32 r, %t; }",
                intrinsic(pack, 8).template().write(new Numbers()));
        assertEquals(
                "{ .reg .b16 %l, %h; cvt.rn.f16.f32 %l, a0; cvt.rn.f16.f32 %h, a1; mov.b32 r, {%l, %h}; }",
                intrinsic(pack, 7).template().write(new Numbers()));
    }

    private static long braces(String text, char brace) {
        return text.chars().filter(c -> c == brace).count();
    }

    private static List<Method> instructions() throws IOException, URISyntaxException, ClassNotFoundException {
        Path root = Path.of(Instruction.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        if (!Files.isDirectory(root)) {
            try (var jar = java.nio.file.FileSystems.newFileSystem(root)) {
                return instructions(jar.getPath("/"));
            }
        }
        return instructions(root);
    }

    private static List<Method> instructions(Path root) throws IOException, ClassNotFoundException {
        List<String> names;
        try (Stream<Path> files = Files.list(root.resolve("org/tornadodit/kernels/ptx"))) {
            names = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".class") && !name.startsWith("package-info"))
                    .map(name -> "org.tornadodit.kernels.ptx." + name.substring(0, name.length() - ".class".length()))
                    .sorted()
                    .toList();
        }
        Stream.Builder<Method> methods = Stream.builder();
        for (String name : names) {
            for (Method method : Class.forName(name).getDeclaredMethods()) {
                if (method.isAnnotationPresent(Instruction.class)) {
                    methods.add(method);
                }
            }
        }
        return methods.build().toList();
    }

    private static final class Numbers implements Template.Values {
        @Override
        public String result() {
            return "r";
        }

        @Override
        public String argument(int argument) {
            return "a" + argument;
        }

        @Override
        public int constant(int argument) {
            return 0;
        }

        @Override
        public int count(int argument) {
            return 8;
        }

        @Override
        public int offset(int argument) {
            return 0;
        }

        @Override
        public int header() {
            return 16;
        }

        @Override
        public String label() {
            return "label";
        }
    }

    /** Annotations with a mistake each. */
    static final class Wrong {
        private Wrong() {}

        @Instruction(value = "nop;", ordered = false)
        static void dropped() {}

        @Instruction(value = "ld $r, [$0];", reads = 0)
        static int notAnArray(int address) {
            return address;
        }

        @Instruction("mov $r, $0;")
        static double unknownType(int x) {
            return x;
        }

        @Instruction("mov $r_0, $0;")
        static float[] arrayOfSomething(float x) {
            return new float[] {x};
        }
    }

    @Test
    void mistakesNameTheMethod() throws Exception {
        assertEquals(
                "Wrong.dropped: has no result, or touches memory or a register array: ordered",
                problem(Wrong.class.getDeclaredMethod("dropped")));
        assertEquals(
                "Wrong.notAnArray: parameter 0 is no device array",
                problem(Wrong.class.getDeclaredMethod("notAnArray", int.class)));
        assertEquals(
                "Wrong.unknownType: type double, expected int, float, int[], float[] or an array of TornadoVM",
                problem(Wrong.class.getDeclaredMethod("unknownType", int.class)));
        assertEquals(
                "Wrong.arrayOfSomething: a method that declares registers takes their number alone",
                problem(Wrong.class.getDeclaredMethod("arrayOfSomething", float.class)));
    }

    private static String problem(Method method) {
        return String.valueOf(assertThrows(IllegalArgumentException.class, () -> intrinsic(method))
                .getMessage());
    }

    @Test
    void aDeclarationSaysHowManyRegisters() throws Exception {
        Intrinsic floats = intrinsic(Registers.class.getMethod("floats", int.class));
        assertTrue(floats.declaresRegisters());
        assertTrue(floats.template().needsConstant(0));
    }
}
