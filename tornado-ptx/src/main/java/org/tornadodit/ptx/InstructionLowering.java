package org.tornadodit.ptx;

import java.util.List;
import jdk.graal.compiler.core.common.LIRKind;
import jdk.graal.compiler.lir.ConstantValue;
import jdk.graal.compiler.lir.Variable;
import jdk.graal.compiler.lir.gen.LIRGeneratorTool;
import jdk.graal.compiler.nodes.ValueNode;
import jdk.graal.compiler.nodes.calc.AddNode;
import jdk.graal.compiler.nodes.spi.NodeLIRBuilderTool;
import jdk.vm.ci.meta.JavaConstant;
import jdk.vm.ci.meta.Value;
import uk.ac.manchester.tornado.drivers.ptx.graal.lir.PTXKind;

/** Makes a {@link InstructionStatement} of a call's node: what is constant, and where registers are. */
final class InstructionLowering {

    private static final int ELEMENT_BYTES = 4;

    private InstructionLowering() {}

    static void lower(NodeLIRBuilderTool builder, ValueNode node, Intrinsic intrinsic, List<ValueNode> argumentNodes) {
        int count = argumentNodes.size();
        Value[] arguments = new Value[count];
        int[] constants = new int[count];
        for (int i = 0; i < count; i++) {
            ValueNode argument = InstructionNode.withoutPi(argumentNodes.get(i));
            if (intrinsic.parameters().get(i).isRegisters()) {
                InstructionNode declaration = declaration(node, intrinsic, i, argument);
                constants[i] = constant(declaration, declaration.intrinsic(), 0, declaration.argument(0));
                arguments[i] = builder.operand(declaration);
            } else if (intrinsic.template().needsConstant(i)) {
                constants[i] = constant(node, intrinsic, i, argument);
                arguments[i] = number(constants[i]);
            } else if (intrinsic.template().splits(i)) {
                arguments[i] = split(builder, argument, constants, i);
            } else {
                arguments[i] = builder.operand(argument);
            }
            if (arguments[i] == null) {
                throw wrong(node, intrinsic, i, "has no value yet: " + argument);
            }
        }
        LIRGeneratorTool generator = builder.getLIRGeneratorTool();
        Operand kind = intrinsic.result();
        Variable result = kind == null ? null : generator.newVariable(LIRKind.value(kindOf(kind)));
        generator.append(
                new InstructionStatement(intrinsic, result == null ? Value.ILLEGAL : result, arguments, constants));
        if (result != null) {
            builder.setResult(node, result);
        }
    }

    private static PTXKind kindOf(Operand operand) {
        return switch (operand) {
            case INT -> PTXKind.S32;
            case FLOAT -> PTXKind.F32;
            case INT_REGISTERS -> PTXKind.MMA_FRAG_A_F16;
            case FLOAT_REGISTERS -> PTXKind.MMA_FRAG_ACC_F32;
            case DEVICE_ARRAY -> throw new IllegalArgumentException("an instruction returns no device array");
        };
    }

    private static InstructionNode declaration(ValueNode node, Intrinsic intrinsic, int i, ValueNode argument) {
        if (argument instanceof InstructionNode declaration
                && declaration.intrinsic().declaresRegisters()) {
            return declaration;
        }
        throw wrong(
                node,
                intrinsic,
                i,
                "must be an array of Registers.floats or Registers.ints, assigned to one variable and never to another,"
                        + " but is " + argument);
    }

    private static int constant(ValueNode node, Intrinsic intrinsic, int i, ValueNode argument) {
        if (argument.isJavaConstant()) {
            return argument.asJavaConstant().asInt();
        }
        throw wrong(
                node,
                intrinsic,
                i,
                "must be constant once loops of constant length around the call are unrolled, but is " + argument);
    }

    /** The constant part of an index goes into the instruction's address. */
    private static Value split(NodeLIRBuilderTool builder, ValueNode index, int[] constants, int i) {
        if (index.isJavaConstant()) {
            constants[i] =
                    Math.multiplyExact(ELEMENT_BYTES, index.asJavaConstant().asInt());
            return number(0);
        }
        if (index instanceof AddNode sum && sum.getY().isJavaConstant()) {
            constants[i] = Math.multiplyExact(
                    ELEMENT_BYTES, sum.getY().asJavaConstant().asInt());
            return builder.operand(sum.getX());
        }
        return builder.operand(index);
    }

    private static Value number(int value) {
        return new ConstantValue(LIRKind.value(PTXKind.S32), JavaConstant.forInt(value));
    }

    private static IllegalStateException wrong(ValueNode node, Intrinsic intrinsic, int i, String problem) {
        return new IllegalStateException("kernel " + node.graph().method().format("%h.%n") + ", " + intrinsic
                + ": argument " + i + " " + problem);
    }
}
