package org.tornadodit.ptx;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import jdk.graal.compiler.core.common.type.Stamp;
import jdk.graal.compiler.core.common.type.StampFactory;
import jdk.graal.compiler.nodes.ValueNode;
import jdk.graal.compiler.nodes.graphbuilderconf.GraphBuilderContext;
import jdk.graal.compiler.nodes.graphbuilderconf.NodePlugin;
import jdk.vm.ci.meta.JavaKind;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import org.tornadodit.kernels.ptx.Instruction;

/** Makes a node of each call of an {@link Instruction}, before the compiler would look into the method. */
final class InstructionPlugin implements NodePlugin {

    private static final String PACKAGE =
            "L" + Instruction.class.getPackageName().replace('.', '/') + "/";

    private final ConcurrentHashMap<ResolvedJavaMethod, Optional<Intrinsic>> intrinsics = new ConcurrentHashMap<>();
    private final int major;

    /** @param major of the device's compute capability */
    InstructionPlugin(int major) {
        this.major = major;
    }

    @Override
    public boolean handleInvoke(GraphBuilderContext builder, ResolvedJavaMethod method, ValueNode[] arguments) {
        if (!method.getDeclaringClass().getName().startsWith(PACKAGE) || !method.isStatic()) {
            return false;
        }
        Optional<Intrinsic> found = intrinsics.computeIfAbsent(method, this::intrinsic);
        if (found.isEmpty()) {
            return false;
        }
        Intrinsic intrinsic = found.get();
        JavaKind kind = method.getSignature().getReturnKind();
        Stamp stamp = stamp(intrinsic, kind);
        if (!intrinsic.ordered()) {
            builder.addPush(kind, new FloatingInstructionNode(intrinsic, stamp, arguments));
        } else if (intrinsic.result() == null) {
            builder.add(new InstructionNode(intrinsic, stamp, arguments));
        } else {
            builder.addPush(kind, new InstructionNode(intrinsic, stamp, arguments));
        }
        return true;
    }

    private static Stamp stamp(Intrinsic intrinsic, JavaKind kind) {
        Operand result = intrinsic.result();
        return result == null
                ? StampFactory.forVoid()
                : result.isRegisters() ? new RegistersStamp(result) : StampFactory.forKind(kind);
    }

    private Optional<Intrinsic> intrinsic(ResolvedJavaMethod method) {
        Instruction instruction = method.getAnnotation(Instruction.class);
        if (instruction == null) {
            return Optional.empty();
        }
        var signature = method.getSignature();
        List<String> parameters = IntStream.range(0, signature.getParameterCount(false))
                .mapToObj(i -> signature.getParameterType(i, null).toJavaName())
                .toList();
        return Optional.of(Intrinsic.of(
                method.format("%h.%n"),
                parameters,
                signature.getReturnType(null).toJavaName(),
                instruction,
                major));
    }
}
