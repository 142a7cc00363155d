package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.constant.ClassDesc;
import java.lang.reflect.AccessFlag;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.drivers.ptx.PTXStream;

/**
 * What is compiled against the stubs links with TornadoVM: every member of a stub is in the SDK's class of that name, or
 * in one that it extends, with the same types. Class files are compared, so that nothing of the SDK runs.
 */
class StubConformanceTest {

    @Test
    void everyMemberIsTornadoVMsOwn() throws Exception {
        String home = System.getenv("TORNADOVM_HOME");
        assumeTrue(home != null, "TORNADOVM_HOME is not set: stubs are not compared with an SDK");
        Path jars = Path.of(home, "share", "java", "tornado");
        assumeTrue(Files.isDirectory(jars), "there is no " + jars + ": stubs are not compared with an SDK");
        Map<String, ClassModel> sdk = sdkClasses(jars);
        assumeTrue(
                sdk.containsKey("uk/ac/manchester/tornado/drivers/ptx/PTXStream"),
                "the SDK has no PTX backend: stubs are not compared with it");
        List<ClassModel> stubs = stubs();
        assertTrue(stubs.size() > 15, "only " + stubs.size() + " stubs");
        List<String> missing = new ArrayList<>();
        for (ClassModel stub : stubs) {
            missing.addAll(missing(stub, sdk));
        }
        assertEquals("", String.join("\n", missing));
    }

    @Test
    void differencesAreFound() {
        List<ClassModel> stubs;
        try {
            stubs = stubs();
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException(e);
        }
        ClassModel stream = stubs.stream()
                .filter(stub -> name(stub).endsWith("/PTXStream"))
                .findFirst()
                .orElseThrow();
        ClassModel empty =
                ClassFile.of().parse(ClassFile.of().build(ClassDesc.ofInternalName(name(stream)), builder -> {}));
        List<String> missing = missing(stream, Map.of(name(stream), empty));
        assertTrue(missing.contains(name(stream) + ".getStreamHandle()[B"), missing.toString());
        assertEquals(List.of(), missing(stream, Map.of(name(stream), stream)));
        assertEquals(List.of("no class " + name(stream)), missing(stream, Map.of()));
    }

    private static List<String> missing(ClassModel stub, Map<String, ClassModel> sdk) {
        if (!sdk.containsKey(name(stub))) {
            return List.of("no class " + name(stub));
        }
        List<String> missing = new ArrayList<>();
        for (MethodModel method : stub.methods()) {
            String signature =
                    method.methodName().stringValue() + method.methodType().stringValue();
            boolean ours =
                    method.flags().has(AccessFlag.PUBLIC) && !method.flags().has(AccessFlag.SYNTHETIC);
            if (ours && !has(name(stub), sdk, theirs -> method(theirs, method))) {
                missing.add(name(stub) + "." + signature);
            }
        }
        for (FieldModel field : stub.fields()) {
            boolean ours = field.flags().has(AccessFlag.PUBLIC);
            if (ours && !has(name(stub), sdk, theirs -> field(theirs, field))) {
                missing.add(name(stub) + "." + field.fieldName().stringValue() + " "
                        + field.fieldType().stringValue());
            }
        }
        return missing;
    }

    private interface Question {
        boolean test(ClassModel theirs);
    }

    /** Whether the SDK's class or one that it extends passes; those of Graal and the JDK are not asked. */
    private static boolean has(String name, Map<String, ClassModel> sdk, Question test) {
        for (ClassModel theirs = sdk.get(name); theirs != null; theirs = parent(theirs, sdk)) {
            if (test.test(theirs)) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable ClassModel parent(ClassModel theirs, Map<String, ClassModel> sdk) {
        return theirs.superclass().map(type -> sdk.get(type.asInternalName())).orElse(null);
    }

    private static boolean method(ClassModel theirs, MethodModel ours) {
        return theirs.methods().stream()
                .anyMatch(method -> method.methodName()
                                .equalsString(ours.methodName().stringValue())
                        && method.methodType().equalsString(ours.methodType().stringValue())
                        && method.flags().has(AccessFlag.STATIC) == ours.flags().has(AccessFlag.STATIC)
                        && method.flags().has(AccessFlag.PUBLIC));
    }

    private static boolean field(ClassModel theirs, FieldModel ours) {
        return theirs.fields().stream()
                .anyMatch(field -> field.fieldName()
                                .equalsString(ours.fieldName().stringValue())
                        && field.fieldType().equalsString(ours.fieldType().stringValue())
                        && field.flags().has(AccessFlag.PUBLIC));
    }

    private static String name(ClassModel model) {
        return model.thisClass().asInternalName();
    }

    private static List<ClassModel> stubs() throws IOException, URISyntaxException {
        Path root = Path.of(PTXStream.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        if (Files.isDirectory(root)) {
            return models(root);
        }
        try (FileSystem jar = FileSystems.newFileSystem(root)) {
            return models(jar.getPath("/"));
        }
    }

    private static Map<String, ClassModel> sdkClasses(Path jars) throws IOException {
        Map<String, ClassModel> classes = new HashMap<>();
        List<Path> files;
        try (Stream<Path> list = Files.list(jars)) {
            files = list.filter(
                            file -> file.getFileName().toString().matches("tornado-(api|runtime|drivers-.*)-5.*\\.jar"))
                    .toList();
        }
        for (Path file : files) {
            try (FileSystem jar = FileSystems.newFileSystem(file)) {
                for (ClassModel model : models(jar.getPath("/"))) {
                    classes.put(name(model), model);
                }
            }
        }
        return classes;
    }

    private static List<ClassModel> models(Path root) throws IOException {
        List<ClassModel> models = new ArrayList<>();
        Path tornado = root.resolve("uk/ac/manchester/tornado");
        if (!Files.isDirectory(tornado)) {
            return models;
        }
        List<Path> files;
        try (Stream<Path> walk = Files.walk(tornado)) {
            files = walk.filter(file -> file.toString().endsWith(".class") && !file.endsWith("package-info.class"))
                    .toList();
        }
        for (Path file : files) {
            models.add(ClassFile.of().parse(Files.readAllBytes(file)));
        }
        return models;
    }

    /** An enum's constants, an interface's methods and private fields that are opened by name: see {@link Internals}. */
    @Test
    void internalsAreTheSdks() throws Exception {
        String home = System.getenv("TORNADOVM_HOME");
        assumeTrue(home != null, "TORNADOVM_HOME is not set");
        Path jars = Path.of(home, "share", "java", "tornado");
        assumeTrue(Files.isDirectory(jars), "there is no " + jars);
        Map<String, ClassModel> sdk = sdkClasses(jars);
        String ptx = "uk/ac/manchester/tornado/drivers/ptx/";
        assumeTrue(sdk.containsKey(ptx + "PTXStream"), "the SDK has no PTX backend");
        Map<String, List<String>> fields = Map.of(
                "PTXDevice", List.of("ptxVersion", "targetArchitecture"),
                "PTXDeviceContext", List.of("codeCache", "streamPool"),
                "PTXCodeCache", List.of("cache"),
                "graal/PTXInstalledCode", List.of("module"),
                "PTXModule", List.of("maxBlockSize"),
                "PTXStreamPool", List.of("streamSets"),
                "PTXExecutionStreamSet", List.of("streams", "computeStreams"));
        fields.forEach((owner, names) -> assertFields(sdk, ptx + owner, names));
        assertFields(sdk, "uk/ac/manchester/tornado/api/ImmutableTaskGraph", List.of("taskGraph"));
        assertFields(sdk, "uk/ac/manchester/tornado/api/TaskGraph", List.of("taskGraphImpl"));
        String sketcher = "uk/ac/manchester/tornado/runtime/sketcher/";
        assertFields(sdk, sketcher + "TornadoSketcher", List.of("cache"));
        assertMethod(
                sdk,
                sketcher + "TornadoSketcher$TornadoSketcherCacheEntry",
                "<init>(IILjava/util/concurrent/Future;)V");
        assertMethod(sdk, sketcher + "TornadoSketcher$TornadoSketcherCacheEntry", "matchesDriverAndDevice(II)Z");
        assertMethod(
                sdk,
                sketcher + "Sketch",
                "<init>(Ljdk/graal/compiler/graph/Graph;[Luk/ac/manchester/tornado/api/common/Access;Z)V");
        assertMethod(sdk, sketcher + "Sketch", "getGraph()Ljdk/graal/compiler/graph/Graph;");
        assertMethod(
                sdk,
                sketcher + "TornadoSketcher",
                "buildSketch(Ljdk/vm/ci/meta/ResolvedJavaMethod;Ljdk/graal/compiler/phases/util/Providers;"
                        + "Ljdk/graal/compiler/phases/PhaseSuite;"
                        + "Luk/ac/manchester/tornado/runtime/graal/compiler/TornadoSketchTier;II)"
                        + "Luk/ac/manchester/tornado/runtime/sketcher/Sketch;");
    }

    private static void assertFields(Map<String, ClassModel> sdk, String owner, List<String> names) {
        names.forEach(name -> assertTrue(
                Optional.ofNullable(sdk.get(owner)).stream()
                        .flatMap(model -> model.fields().stream())
                        .anyMatch(field -> field.fieldName().equalsString(name)),
                owner + "." + name));
    }

    private static void assertMethod(Map<String, ClassModel> sdk, String owner, String signature) {
        assertTrue(
                Optional.ofNullable(sdk.get(owner)).stream()
                        .flatMap(model -> model.methods().stream())
                        .anyMatch(method -> signature.equals(method.methodName().stringValue()
                                + method.methodType().stringValue())),
                owner + "." + signature);
    }
}
