package org.tornadodit.ptx;

import static jdk.graal.compiler.lir.LIRInstruction.OperandFlag.CONST;
import static jdk.graal.compiler.lir.LIRInstruction.OperandFlag.ILLEGAL;
import static jdk.graal.compiler.lir.LIRInstruction.OperandFlag.REG;

import jdk.graal.compiler.lir.LIRInstruction;
import jdk.graal.compiler.lir.LIRInstructionClass;
import jdk.graal.compiler.lir.Opcode;
import jdk.graal.compiler.lir.asm.CompilationResultBuilder;
import jdk.vm.ci.meta.Value;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;
import uk.ac.manchester.tornado.drivers.ptx.graal.asm.PTXAssembler;

/** Writes a call's PTX text. */
@Opcode("PTX_INSTRUCTION")
public final class InstructionStatement extends LIRInstruction {

    /** What labels begin with; a number follows. */
    static final String LABEL = "PTX_";

    public static final LIRInstructionClass<InstructionStatement> TYPE =
            LIRInstructionClass.create(InstructionStatement.class);

    @Def({REG, ILLEGAL})
    Value result;

    @Use({REG, CONST, ILLEGAL})
    Value[] arguments;

    private final Intrinsic intrinsic;
    private final int[] constants;

    /**
     * @param constants for each argument: its value where it must be constant, the number of registers of an array, the
     *     bytes of an index's constant part
     */
    InstructionStatement(Intrinsic intrinsic, Value result, Value[] arguments, int[] constants) {
        super(TYPE);
        this.intrinsic = intrinsic;
        this.result = result;
        this.arguments = arguments;
        this.constants = constants;
    }

    @Override
    public void emitCode(CompilationResultBuilder builder) {
        String label = LABEL + builder.asm.position();
        String text;
        try {
            text = intrinsic.template().write(values(label));
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException(
                    "kernel " + builder.compilationResult.getName() + ", " + intrinsic + ": " + e.getMessage(), e);
        }
        Object assembler = builder.asm;
        ((PTXAssembler) assembler).emitSymbol("\t" + text + "\n");
    }

    private Template.Values values(String label) {
        return new Template.Values() {
            @Override
            public String result() {
                return PTXAssembler.toString(result);
            }

            @Override
            public String argument(int argument) {
                return PTXAssembler.toString(arguments[argument]);
            }

            @Override
            public int constant(int argument) {
                return constants[argument];
            }

            @Override
            public int count(int argument) {
                return constants[argument];
            }

            @Override
            public int offset(int argument) {
                return constants[argument];
            }

            @Override
            public int header() {
                return Math.toIntExact(TornadoNativeArray.ARRAY_HEADER);
            }

            @Override
            public String label() {
                return label;
            }
        };
    }
}
