package org.tornadodit.ptx;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.Instruction;

/**
 * A method that becomes PTX text.
 *
 * @param name class and method
 * @param result null for none
 * @param reads argument that is an array which is read, or -1; {@code writes} likewise
 * @param ordered whether calls keep their order
 */
record Intrinsic(
        String name,
        List<Operand> parameters,
        @Nullable Operand result,
        Template template,
        int reads,
        int writes,
        boolean ordered) {

    /**
     * Reads an annotation.
     *
     * @param parameters names of the parameters' types
     * @param result name of the result's type
     * @param major of the compute capability
     * @throws IllegalArgumentException naming the method, when its text has a mistake
     */
    static Intrinsic of(String name, List<String> parameters, String result, Instruction instruction, int major) {
        List<Operand> operands;
        Operand returned;
        try {
            operands = parameters.stream().map(Operand::of).toList();
            returned = result.equals("void") ? null : Operand.of(result);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
        }
        check(name, operands, instruction.reads());
        check(name, operands, instruction.writes());
        String text = major < 8 && !instruction.volta().isEmpty() ? instruction.volta() : instruction.value();
        Template template = Template.parse(name, text, operands, returned);
        if (returned != null
                && returned.isRegisters()
                && (operands.size() != 1 || operands.getFirst() != Operand.INT)) {
            throw new IllegalArgumentException(name + ": a method that declares registers takes their number alone");
        }
        boolean effect = returned == null
                || returned.isRegisters()
                || instruction.reads() >= 0
                || instruction.writes() >= 0
                || operands.stream().anyMatch(Operand::isRegisters);
        if (effect && !instruction.ordered()) {
            throw new IllegalArgumentException(
                    name + ": has no result, or touches memory or a register array: ordered");
        }
        return new Intrinsic(
                name, operands, returned, template, instruction.reads(), instruction.writes(), instruction.ordered());
    }

    private static void check(String name, List<Operand> operands, int array) {
        if (array >= 0 && (array >= operands.size() || operands.get(array) != Operand.DEVICE_ARRAY)) {
            throw new IllegalArgumentException(name + ": parameter " + array + " is no device array");
        }
    }

    boolean declaresRegisters() {
        return result != null && result.isRegisters();
    }

    @Override
    public String toString() {
        return name;
    }
}
