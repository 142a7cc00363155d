package org.tornadodit.model.io.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Tensor;

/** How one element is stored, and what the formats call it. All values are little endian. */
public enum DType {
    F64(8, "DoubleStorage", "<f8"),
    F32(4, "FloatStorage", "<f4"),
    F16(2, "HalfStorage", "<f2"),
    /** The upper half of a float32. NumPy has no name for it. */
    BF16(2, "BFloat16Storage", null),
    I64(8, "LongStorage", "<i8"),
    I32(4, "IntStorage", "<i4"),
    I16(2, "ShortStorage", "<i2"),
    I8(1, "CharStorage", "|i1"),
    U64(8, null, "<u8"),
    U32(4, null, "<u4"),
    U16(2, null, "<u2"),
    U8(1, "ByteStorage", "|u1"),
    BOOL(1, "BoolStorage", "|b1");

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int bytes;
    private final @Nullable String torchStorage;
    private final @Nullable String numpyDescr;

    DType(int bytes, @Nullable String torchStorage, @Nullable String numpyDescr) {
        this.bytes = bytes;
        this.torchStorage = torchStorage;
        this.numpyDescr = numpyDescr;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** NumPy's {@code descr}, such as {@code <f4}; empty for BF16. */
    public Optional<String> numpyDescr() {
        return Optional.ofNullable(numpyDescr);
    }

    /** The type that safetensors calls {@code name}, such as {@code BF16}. */
    public static Optional<DType> ofSafetensors(String name) {
        return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
    }

    /** The type of a typed storage class of module {@code torch}, such as {@code HalfStorage}. */
    public static Optional<DType> ofTorchStorage(String className) {
        return Arrays.stream(values())
                .filter(type -> className.equals(type.torchStorage))
                .findFirst();
    }

    /** The type of a NumPy {@code descr}; one-byte types may carry any byte order. */
    public static Optional<DType> ofNumpy(String descr) {
        return Arrays.stream(values())
                .filter(type -> type.numpyDescr != null
                        && (descr.equals(type.numpyDescr)
                                || (type.bytes == 1
                                        && descr.length() == 3
                                        && "<>=|".indexOf(descr.charAt(0)) >= 0
                                        && descr.substring(1).equals(type.numpyDescr.substring(1)))))
                .findFirst();
    }

    /** All names, for messages. */
    public static String list() {
        return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(" "));
    }

    /** The element at a byte offset, rounded to float32 as PyTorch's {@code .float()} does. */
    public float readFloat(MemorySegment data, long offset) {
        return switch (this) {
            case F64 -> (float) data.get(DOUBLE, offset);
            case F32 -> data.get(Tensor.FLOAT, offset);
            case F16 -> Float.float16ToFloat(data.get(SHORT, offset));
            case BF16 -> Float.intBitsToFloat(data.get(SHORT, offset) << 16);
            case U64 -> unsignedToFloat(data.get(LONG, offset));
            default -> readLong(data, offset);
        };
    }

    /** {@code count} elements from element {@code first} on, as {@link #readFloat} gives them. */
    void readFloats(MemorySegment data, long first, float[] target, int count) {
        switch (this) {
            case F32 -> MemorySegment.copy(data, Tensor.FLOAT, first * Float.BYTES, target, 0, count);
            case F16 -> {
                short[] halves = shorts(data, first, count);
                for (int i = 0; i < count; i++) {
                    target[i] = Float.float16ToFloat(halves[i]);
                }
            }
            case BF16 -> {
                short[] upper = shorts(data, first, count);
                for (int i = 0; i < count; i++) {
                    target[i] = Float.intBitsToFloat(upper[i] << 16);
                }
            }
            default -> {
                for (int i = 0; i < count; i++) {
                    target[i] = readFloat(data, (first + i) * bytes);
                }
            }
        }
    }

    private static short[] shorts(MemorySegment data, long first, int count) {
        short[] values = new short[count];
        MemorySegment.copy(data, SHORT, first * Short.BYTES, values, 0, count);
        return values;
    }

    /** The element at a byte offset; exact for all but 64-bit integers beyond 2^53. */
    public double readDouble(MemorySegment data, long offset) {
        return switch (this) {
            case F64 -> data.get(DOUBLE, offset);
            case F32, F16, BF16 -> readFloat(data, offset);
            case U64 -> unsignedToDouble(data.get(LONG, offset));
            default -> readLong(data, offset);
        };
    }

    /**
     * The integer at a byte offset; U64 as its bits.
     *
     * @throws IllegalStateException for floating-point types
     */
    public long readLong(MemorySegment data, long offset) {
        return switch (this) {
            case I64, U64 -> data.get(LONG, offset);
            case I32 -> data.get(INT, offset);
            case U32 -> Integer.toUnsignedLong(data.get(INT, offset));
            case I16 -> data.get(SHORT, offset);
            case U16 -> Short.toUnsignedLong(data.get(SHORT, offset));
            case I8 -> data.get(ValueLayout.JAVA_BYTE, offset);
            case U8 -> Byte.toUnsignedLong(data.get(ValueLayout.JAVA_BYTE, offset));
            case BOOL -> data.get(ValueLayout.JAVA_BYTE, offset) == 0 ? 0 : 1;
            case F64, F32, F16, BF16 -> throw new IllegalStateException(this + " is not an integer type");
        };
    }

    private static double unsignedToDouble(long bits) {
        // A sticky lowest bit keeps the rounding right when the value is halved to fit into a signed long.
        return bits >= 0 ? bits : ((bits >>> 1) | (bits & 1)) * 2.0;
    }

    private static float unsignedToFloat(long bits) {
        return bits >= 0 ? bits : ((bits >>> 1) | (bits & 1)) * 2f;
    }
}
