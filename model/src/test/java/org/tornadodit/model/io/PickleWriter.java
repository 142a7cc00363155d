package org.tornadodit.model.io;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes pickles opcode by opcode, so that tests can write what no pickler would. */
final class PickleWriter {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** Starts with PROTO 2. */
    PickleWriter() {
        raw(0x80, 2);
    }

    PickleWriter raw(int... bytes) {
        for (int b : bytes) {
            out.write(b);
        }
        return this;
    }

    PickleWriter op(char... opcodes) {
        for (char opcode : opcodes) {
            out.write(opcode);
        }
        return this;
    }

    PickleWriter global(String module, String name) {
        op('c');
        out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
        return this;
    }

    PickleWriter text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        op('X').int32(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    /** LONG1 of 8 bytes. */
    PickleWriter integer(long value) {
        raw(0x8a, 8);
        out.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
        return this;
    }

    PickleWriter int32(int value) {
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
    PickleWriter tensor(String storageType, long elements, long offset, long[] size, long[] stride) {
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
    byte[] end() {
        op('.');
        return out.toByteArray();
    }
}
