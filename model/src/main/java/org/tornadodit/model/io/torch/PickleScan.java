package org.tornadodit.model.io.torch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import net.razorvine.pickle.Opcodes;

/**
 * Walks a pickle's opcodes before anything is built from it. Only what {@code torch.save} writes for tensors, numbers,
 * strings, lists, tuples and dicts passes; each length is checked against the bytes that are there, so that the
 * unpickler never allocates what a file merely claims.
 */
final class PickleScan {

    /** DiT-XL/2's training checkpoint has about 60 thousand. */
    private static final int MOST_OPCODES = 2_000_000;

    private static final int LONGEST_STRING = 1 << 20;
    private static final int LONGEST_GLOBAL = 200;

    private final ByteBuffer pickle;

    private PickleScan(byte[] pickle) {
        this.pickle = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Passes silently when the pickle is safe to build.
     *
     * @throws IOException saying which opcode or length was found where
     */
    static void check(byte[] pickle) throws IOException {
        length(pickle);
    }

    /**
     * {@link #check} of a pickle that more bytes may follow.
     *
     * @return its length, with the final STOP
     */
    static int length(byte[] pickle) throws IOException {
        PickleScan scan = new PickleScan(pickle);
        scan.walk();
        return scan.pickle.position();
    }

    private void walk() throws IOException {
        for (int count = 0; count < MOST_OPCODES; count++) {
            if (!pickle.hasRemaining()) {
                throw refuse("the end");
            }
            short opcode = (short) Byte.toUnsignedInt(pickle.get());
            if (opcode == Opcodes.STOP) {
                return;
            }
            argument(opcode);
        }
        throw refuse("more than " + MOST_OPCODES + " opcodes");
    }

    private void argument(short opcode) throws IOException {
        switch (opcode) {
            case Opcodes.MARK,
                    Opcodes.EMPTY_DICT,
                    Opcodes.EMPTY_LIST,
                    Opcodes.EMPTY_TUPLE,
                    Opcodes.TUPLE,
                    Opcodes.TUPLE1,
                    Opcodes.TUPLE2,
                    Opcodes.TUPLE3,
                    Opcodes.SETITEM,
                    Opcodes.SETITEMS,
                    Opcodes.APPEND,
                    Opcodes.APPENDS,
                    Opcodes.STACK_GLOBAL,
                    Opcodes.REDUCE,
                    Opcodes.NEWOBJ,
                    Opcodes.BUILD,
                    Opcodes.BINPERSID,
                    Opcodes.MEMOIZE,
                    Opcodes.NONE,
                    Opcodes.NEWTRUE,
                    Opcodes.NEWFALSE -> {}
            case Opcodes.PROTO, Opcodes.BINPUT, Opcodes.BINGET, Opcodes.BININT1 -> skip(1);
            case Opcodes.BININT2 -> skip(2);
            case Opcodes.BININT, Opcodes.LONG_BINPUT, Opcodes.LONG_BINGET -> skip(4);
            case Opcodes.BINFLOAT, Opcodes.FRAME -> skip(8);
            case Opcodes.LONG1 -> skip(length(1, Long.BYTES));
            case Opcodes.SHORT_BINSTRING, Opcodes.SHORT_BINBYTES, Opcodes.SHORT_BINUNICODE ->
                skip(length(1, LONGEST_STRING));
            case Opcodes.BINSTRING, Opcodes.BINBYTES, Opcodes.BINUNICODE -> skip(length(4, LONGEST_STRING));
            case Opcodes.GLOBAL -> {
                line();
                line();
            }
            default -> throw refuse("opcode 0x%02x (%s)".formatted(opcode, printable(opcode)));
        }
    }

    /** A little-endian length of 1 or 4 bytes. */
    private int length(int bytes, int most) throws IOException {
        require(bytes);
        long length = bytes == 1 ? Byte.toUnsignedInt(pickle.get()) : Integer.toUnsignedLong(pickle.getInt());
        if (length > most) {
            throw refuse("a value of " + length + " bytes");
        }
        return (int) length;
    }

    private void line() throws IOException {
        for (int i = 0; i < LONGEST_GLOBAL; i++) {
            require(1);
            if (pickle.get() == '\n') {
                return;
            }
        }
        throw refuse("a name of more than " + LONGEST_GLOBAL + " bytes");
    }

    private void skip(int bytes) throws IOException {
        require(bytes);
        pickle.position(pickle.position() + bytes);
    }

    private void require(int bytes) throws IOException {
        if (pickle.remaining() < bytes) {
            throw refuse("the end");
        }
    }

    private IOException refuse(String found) {
        return new IOException("expected a pickle of tensors, found " + found + " at byte " + pickle.position());
    }

    private static String printable(short opcode) {
        return opcode > 0x20 && opcode < 0x7f ? "'" + (char) opcode + "'" : "not printable";
    }
}
