package org.tornadodit.model.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes pickles opcode by opcode, so that tests can write what no pickler would. */
public final class PickleWriter {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** Starts with PROTO 2. */
    public PickleWriter() {
        raw(0x80, 2);
    }

    public PickleWriter raw(int... bytes) {
        for (int b : bytes) {
            out.write(b);
        }
        return this;
    }

    public PickleWriter op(char... opcodes) {
        for (char opcode : opcodes) {
            out.write(opcode);
        }
        return this;
    }

    public PickleWriter global(String module, String name) {
        op('c');
        out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
        return this;
    }

    public PickleWriter text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        op('X').int32(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    /** LONG1 of 8 bytes. */
    public PickleWriter integer(long value) {
        raw(0x8a, 8);
        out.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
        return this;
    }

    public PickleWriter int32(int value) {
        out.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
        return this;
    }

    PickleWriter integers(long... values) {
        op('(');
        for (long value : values) {
            integer(value);
        }
        return op('t');
    }

    /** A tensor of {@code storageType} over entry {@code data/0}. */
    public PickleWriter tensor(String storageType, long elements, long offset, long[] size, long[] stride) {
        global("torch._utils", "_rebuild_tensor_v2");
        op('(', '(')
                .text("storage")
                .global("torch", storageType)
                .text("0")
                .text("cpu")
                .integer(elements);
        op('t', 'Q').integer(offset).integers(size).integers(stride);
        // requires_grad False, an empty OrderedDict of hooks
        return raw(0x89).global("collections", "OrderedDict").op(')', 'R', 't', 'R');
    }

    /** Ends with STOP. */
    public byte[] end() {
        op('.');
        return out.toByteArray();
    }
}
