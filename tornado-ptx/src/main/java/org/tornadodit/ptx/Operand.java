package org.tornadodit.ptx;

/** What an instruction's parameter or result is. */
enum Operand {
    INT,
    FLOAT,
    INT_REGISTERS,
    FLOAT_REGISTERS,
    DEVICE_ARRAY;

    /** @param type a Java type's name, such as {@code float[]} */
    static Operand of(String type) {
        return switch (type) {
            case "int" -> INT;
            case "float" -> FLOAT;
            case "int[]" -> INT_REGISTERS;
            case "float[]" -> FLOAT_REGISTERS;
            default -> {
                if (type.startsWith("uk.ac.manchester.tornado.api.types.arrays.")) {
                    yield DEVICE_ARRAY;
                }
                throw new IllegalArgumentException(
                        "type " + type + ", expected int, float, int[], float[] or an array of TornadoVM");
            }
        };
    }

    boolean isRegisters() {
        return this == INT_REGISTERS || this == FLOAT_REGISTERS;
    }
}
